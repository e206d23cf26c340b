import { choice, dashboard, decisionMarks, row, table, timeSeries } from './panels.mjs';

const chosen = 'WHERE $timeFilter AND "host" =~ /^$host$/';
const each = (measurement, figure, ...tags) =>
  `SELECT ${figure} FROM "${measurement}" ${chosen} GROUP BY time($__interval), ${['host', ...tags].map((tag) => `"${tag}"`).join(', ')} fill(none)`;
const host = (field) => each('ferryman_host', `mean("${field}")`);
const nic = (field) => each('ferryman_nic', `mean("${field}")`, 'nic');
const guest = (field) => each('ferryman_activity', `mean("${field}")`, 'vm');

export const hosts = dashboard({
  uid: 'ferryman-hosts',
  title: 'ferryman: host pressure',
  description: 'What hosts have left for migrations, and what migrations and guests take.',
  from: 'now-1h',
  choices: [choice('host', 'Host', 'ferryman_host', { multi: true })],
  marks: [decisionMarks('$timeFilter AND "host" =~ /^$host$/')],
  panels: [
    timeSeries(
      'CPU',
      'percentunit',
      { '$tag_host busy': host('cpu_busy_share'), '$tag_host stolen': host('cpu_steal_share') },
      { most: 1 },
    ),
    timeSeries('Idle cores', 'none', { $tag_host: host('idle_cpu_cores') }),
    timeSeries(
      'Pressure: tasks that waited',
      'percentunit',
      {
        '$tag_host CPU': host('pressure_cpu_share'),
        '$tag_host memory': host('pressure_memory_share'),
        '$tag_host I/O': host('pressure_io_share'),
      },
      { description: "The kernel's pressure stall information, mean of 10 s." },
    ),
    timeSeries('Free memory', 'bytes', { $tag_host: host('free_memory_bytes') }),
    timeSeries('Network', 'Bps', {
      '$tag_host $tag_nic sent': nic('sent_bytes_per_second'),
      '$tag_host $tag_nic received': nic('received_bytes_per_second'),
    }),
    timeSeries('Guests: vCPU use', 'percentunit', {
      '$tag_host $tag_vm': guest('vcpu_busy_share'),
    }),
    timeSeries('Guests: block I/O', 'Bps', {
      '$tag_host $tag_vm': guest('block_bytes_per_second'),
    }),
    timeSeries('Guests: block operations', 'iops', {
      '$tag_host $tag_vm': guest('block_operations_per_second'),
    }),
    row('What agents report'),
    table(
      'Events',
      `SELECT "host", "vm", "name", "summary" FROM "ferryman_event" ${chosen}`,
      { displayName: 'Time', desc: true },
      'VMs that come and go, events of QEMU, alerts of agents.',
    ),
  ],
});
