/** Puts a process under a quota, says so, and waits to be killed: `node throttle-and-die.ts PID`. */
import { openCgroupThrottle } from '../../../agent/throttle/cgroup.ts';
import { detectLayout } from '../../../agent/throttle/layouts.ts';

const pid = Number(process.argv[2]);
const layout = detectLayout();
const throttle = layout && openCgroupThrottle({ layout, pid, threadIds: [pid] });
throttle?.set(50);
process.send?.('set');
setInterval(() => undefined, 1000);
