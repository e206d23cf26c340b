/** The parts of systeminformation that can be had alone; its types are all in one file. */
declare module 'systeminformation/lib/cpu.js' {
  export { currentLoad } from 'systeminformation';
}
declare module 'systeminformation/lib/memory.js' {
  export { mem } from 'systeminformation';
}
declare module 'systeminformation/lib/network.js' {
  export { networkStats } from 'systeminformation';
}
