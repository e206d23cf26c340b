import { choice, dashboard, stat, timeSeries } from './panels.mjs';

const chosen = `WHERE $timeFilter AND "brain" = '$brain'`;
const latest = (field) => `SELECT last("${field}") FROM "ferryman_brain" ${chosen}`;
const inWindows = (figure) =>
  `SELECT ${figure} FROM "ferryman_brain" ${chosen} GROUP BY time($__interval) fill(none)`;
const agents = (figure) =>
  `SELECT ${figure} FROM "ferryman_agent" ${chosen} GROUP BY time($__interval), "host" fill(none)`;

export const brain = dashboard({
  uid: 'ferryman-brain',
  title: 'ferryman: brain health',
  description: 'Whether the brain hears its agents, has time, and gets its history written.',
  from: 'now-1h',
  choices: [choice('brain', 'Brain', 'ferryman_brain')],
  panels: [
    stat('Migrations running', 'none', latest('running_migrations')),
    stat('Hosts', 'none', latest('hosts')),
    stat('VMs', 'none', latest('vms')),
    stat('History waiting', 'none', latest('waiting_lines'), 'Lines not in the stream yet.'),
    stat('History dropped', 'none', latest('dropped'), 'For want of room, in memory or stream.'),
    stat('History refused', 'none', latest('refused_lines'), 'The database will never take them.'),
    timeSeries('Migrations running', 'none', { running: inWindows('max("running_migrations")') }),
    timeSeries('Lines of history written', 'cps', {
      written: inWindows('non_negative_derivative(max("written_lines"), 1s)'),
    }),
    timeSeries('How late the brain gets to its work', 'ms', {
      'longest delay': inWindows('max("longest_delay_milliseconds")'),
    }),
    timeSeries('Memory of the brain', 'bytes', { resident: inWindows('max("memory_bytes")') }),
    timeSeries('Agents: silent for', 's', { $tag_host: agents('max("silent_seconds")') }),
    timeSeries('Agents: messages lost or late', 'none', {
      '$tag_host lost': agents('max("lost_messages")'),
      '$tag_host late': agents('max("stale_messages")'),
    }),
  ],
});
