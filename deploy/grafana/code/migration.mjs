import { choice, dashboard, decisionMarks, row, stat, table, timeSeries } from './panels.mjs';

const ofIt = `WHERE $timeFilter AND "migration" = '$migration'`;
const result = (field) => `SELECT last("${field}") FROM "ferryman_result" ${ofIt}`;
const round = (field) => `SELECT "${field}" FROM "ferryman_round" ${ofIt}`;
const source = (figure) =>
  `SELECT ${figure} FROM "ferryman_sample" ${ofIt} AND "side" = 'source' GROUP BY time($__interval) fill(none)`;
const activity = (field) =>
  `SELECT mean("${field}") FROM "ferryman_activity" ${ofIt} GROUP BY time($__interval), "host" fill(none)`;

export const migration = dashboard({
  uid: 'ferryman-migration',
  title: 'ferryman: one migration',
  description:
    'Backlog, dirty rate against bandwidth, throttle, and each decision with its reason.',
  from: 'now-1h',
  choices: [choice('migration', 'Migration', 'ferryman_decision')],
  marks: [decisionMarks(`$timeFilter AND "migration" = '$migration'`)],
  panels: [
    stat('Took', 'ms', result('total_milliseconds'), 'From the first migrate to completed.'),
    stat('Downtime', 'ms', result('downtime_milliseconds'), 'As QEMU reports it after completion.'),
    stat('Sent', 'bytes', result('transferred_bytes'), 'Sum of all attempts.'),
    stat('Rounds', 'none', result('rounds')),
    stat('Guest time taken', 's', result('throttle_seconds'), 'By throttling, of any mechanism.'),
    stat('Restarts', 'none', result('restarts')),
    timeSeries(
      'Backlog by round',
      'bytes',
      {
        'at the start': round('start_remaining_bytes'),
        'at the end': round('end_remaining_bytes'),
      },
      {
        bars: true,
        description: 'Bars that stop falling: the guest writes memory as fast as it is sent.',
      },
    ),
    timeSeries('Left to send', 'bytes', { left: source('last("remaining_bytes")') }),
    timeSeries('Dirty rate against bandwidth', 'Bps', {
      'written by the guest': source('mean("dirty_bytes_per_second")'),
      'carried by the link': source('mean("bandwidth_bytes_per_second")'),
    }),
    timeSeries(
      'Throttle',
      'percent',
      { throttle: source('max("throttle_percent")') },
      { most: 100 },
    ),
    timeSeries('Guest: vCPU use', 'percentunit', { $tag_host: activity('vcpu_busy_share') }),
    timeSeries('Guest: block I/O', 'Bps', { $tag_host: activity('block_bytes_per_second') }),
    row('Decisions'),
    table(
      'What was decided, and why',
      `SELECT "number", "operation", "rule", "evidence", "outcome", "reason", "method", "side" FROM "ferryman_decision" ${ofIt}`,
      { displayName: 'number', desc: false },
    ),
    table(
      'Predicted beside measured',
      `SELECT "number", "rule", "predicted_total_seconds", "measured_total_seconds", "predicted_downtime_milliseconds", "measured_downtime_milliseconds" FROM "ferryman_effect" ${ofIt}`,
      { displayName: 'number', desc: false },
    ),
  ],
});
