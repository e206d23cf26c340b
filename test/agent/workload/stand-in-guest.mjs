/**
 * Stands in for QEMU: a process with one mapping of exactly `pages` WebAssembly pages (64 KiB each)
 * as guest RAM. The first half holds text; from its start `pagesPerSecond` are dirtied, in order.
 */
const [pages, pagesPerSecond] = process.argv.slice(2).map(Number);
const ram = Buffer.from(new WebAssembly.Memory({ initial: pages, maximum: pages }).buffer);
const pageBytes = 4096;
ram.fill('the quick brown fox jumps over the lazy dog; ', 0, ram.length / 2);

const startedAt = performance.now();
let dirtied = 0;
setInterval(() => {
  const due = ((performance.now() - startedAt) / 1000) * pagesPerSecond;
  for (; dirtied < due; dirtied++) {
    const address = (dirtied * pageBytes) % (ram.length / 2);
    ram.writeInt32LE(~ram.readInt32LE(address), address);
  }
}, 5);
process.stdout.write('ready\n');
