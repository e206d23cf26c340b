import { dashboard, row, stat, table, timeSeries } from './panels.mjs';

const results = 'FROM "ferryman_result" WHERE $timeFilter';
const completed = `${results} AND "outcome" = 'completed'`;
const inWindows = 'GROUP BY time($__interval) fill(none)';

export const fleet = dashboard({
  uid: 'ferryman-fleet',
  title: 'ferryman: fleet',
  description: 'All migrations: how many, how they ended, how long they took, what they cost.',
  from: 'now-24h',
  panels: [
    stat('Settled', 'none', `SELECT count("total_milliseconds") ${results}`),
    stat('Completed', 'none', `SELECT count("total_milliseconds") ${completed}`),
    stat('Took, median', 'ms', `SELECT percentile("total_milliseconds", 50) ${completed}`),
    stat('Took, 95 %', 'ms', `SELECT percentile("total_milliseconds", 95) ${completed}`),
    stat('Downtime, 95 %', 'ms', `SELECT percentile("downtime_milliseconds", 95) ${completed}`),
    stat('Sent', 'bytes', `SELECT sum("transferred_bytes") ${results}`),
    timeSeries(
      'Settled, by outcome',
      'none',
      {
        $tag_outcome: `SELECT count("total_milliseconds") ${results} GROUP BY time($__interval), "outcome" fill(none)`,
      },
      { bars: true },
    ),
    timeSeries('How long they took', 'ms', {
      longest: `SELECT max("total_milliseconds") ${completed} ${inWindows}`,
      mean: `SELECT mean("total_milliseconds") ${completed} ${inWindows}`,
    }),
    timeSeries('Downtime', 'ms', {
      longest: `SELECT max("downtime_milliseconds") ${completed} ${inWindows}`,
      mean: `SELECT mean("downtime_milliseconds") ${completed} ${inWindows}`,
    }),
    timeSeries('Guest time taken by throttling', 's', {
      sum: `SELECT sum("throttle_seconds") ${results} ${inWindows}`,
    }),
    timeSeries('Predicted against measured: time', 's', {
      predicted: `SELECT mean("predicted_total_seconds") FROM "ferryman_effect" WHERE $timeFilter ${inWindows}`,
      measured: `SELECT mean("measured_total_seconds") FROM "ferryman_effect" WHERE $timeFilter ${inWindows}`,
    }),
    timeSeries('Decisions, by method', 'none', {
      $tag_method: `SELECT count("number") FROM "ferryman_decision" WHERE $timeFilter GROUP BY time($__interval), "method" fill(none)`,
    }),
    row('Every migration'),
    table(
      'Results',
      `SELECT "migration", "vm_name", "outcome", "reason", "total_milliseconds", "downtime_milliseconds", "transferred_bytes", "rounds", "throttle_seconds", "restarts", "policy" ${results}`,
      { displayName: 'Time', desc: true },
      'Open one in the dashboard "ferryman: one migration", or by `ferryman report ID`.',
    ),
  ],
});
