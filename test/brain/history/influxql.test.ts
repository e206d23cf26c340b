import assert from 'node:assert/strict';
import { checkCommon, moment, quoted } from '../../../brain/history/influxql.ts';

describe('brain/history/influxql', () => {
  const common = [
    `SELECT mean("a b") FROM "m" WHERE time > now() - 1h AND "vm" = 'x' GROUP BY time(10s), "host" fill(none)`,
    `SELECT "a", "b" FROM "m" WHERE time >= '2026-01-01T00:00:00Z' ORDER BY time DESC LIMIT 10`,
    `SELECT non_negative_derivative(max("a"), 1s) AS "rate" FROM "m" WHERE "host" =~ /^(a|b\\/c)$/ GROUP BY time(1s)`,
    `SELECT "order by in null" FROM "m" WHERE "in" = 'IN null' GROUP BY time(1s) fill(previous)`,
    `SELECT "a" FROM "m" WHERE ("b" = 1 OR "b" = 2) AND "name" = 'it\\'s slimit('`,
    'SHOW TAG VALUES FROM "m" WITH KEY = "host"',
    'SHOW TAG VALUES FROM "m" WITH KEY IN ("host", "vm")',
    'SHOW MEASUREMENTS',
  ];
  const foreign: Readonly<Record<string, RegExp>> = {
    'SELECT integral("a") FROM "m"': /integral/,
    'SELECT "a" FROM "m" SLIMIT 1': /SLIMIT/,
    'SELECT "a" INTO "n" FROM "m"': /INTO/,
    'SELECT "a" FROM "m"; DROP DATABASE x': /DROP|;/,
    'SELECT a FROM "m"': /knows a:/,
    'SELECT "a" FROM m': /knows m:/,
    'SELECT "a" FROM "m", "n"': /one "measurement"/,
    'SELECT "a" FROM "db"."autogen"."m"': /InfluxQL at/,
    'SELECT "a" FROM (SELECT "b" FROM "m")': /knows FROM/,
    'SHOW DATABASES': /SHOW/,
    'SHOW SERIES': /SHOW/,
    'DROP MEASUREMENT "m"': /SELECT/,
    'from(bucket: "x") |> range(start: -1h)': /SELECT/,
    'SELECT top("a", 3) FROM "m"': /top/,
    'SELECT "a" FROM "m" ORDER BY "a"': /ORDER BY/,
    [`SELECT "a" FROM "m" WHERE "b" IN ('x')`]: /IN/,
    'SELECT "a" FROM "m" WHERE "b" = null': /fill/,
    'SELECT "a"::float FROM "m"': /InfluxQL at ::float/,
    'SELECT "a" FROM "m" tz(\'Europe/Berlin\')': /tz/,
    [`SELECT "a" FROM "m" WHERE "b" = 'open`]: /InfluxQL at/,
  };

  it('lets through what all three servers answer', () => {
    for (const statement of common) checkCommon(statement);
  });

  for (const [statement, problem] of Object.entries(foreign)) {
    it(`refuses ${statement}`, () => {
      assert.throws(() => {
        checkCommon(statement);
      }, problem);
    });
  }

  it('quotes texts and moments', () => {
    assert.equal(quoted("it's a \\"), "'it\\'s a \\\\'");
    assert.equal(moment(0), "'1970-01-01T00:00:00.000Z'");
  });
});
