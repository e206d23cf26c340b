import assert from 'node:assert/strict';
import { chartFigure, type Chart } from '../../../cli/report/chart.ts';
import { reportPage } from '../../../cli/report/page.ts';
import { storyOfMigration } from '../../../cli/story.ts';
import { completedResult, measuredRecord, migration } from '../fixture.ts';

describe('cli/report/page', () => {
  const settled = migration({
    phase: 'settled',
    decisions: [measuredRecord],
    result: completedResult,
  });
  const samples = [1, 2, 3].map((second) => ({
    atMilliseconds: second * 1000,
    remainingBytes: 1e8 / second,
    dirtyBytesPerSecond: 4e7,
    bandwidthBytesPerSecond: 3e7,
    throttlePercent: 0,
  }));

  it('tells figures, decisions with what came of them, and rounds', () => {
    const page = reportPage(storyOfMigration(settled), samples);
    assert.match(page, /<dt>Took<\/dt><dd>7\.1 s/);
    assert.match(page, /<td>5\.0 s<\/td><td>Hold the guest back by 90 %.*took 9\.1 s/);
    assert.match(page, /<td>1<\/td><td>1\.0 s<\/td><td>1\.0 s<\/td><td>128\.0 MiB/);
    assert.equal(page.match(/class="mark"/g)?.length, 3);
    assert.equal(page.match(/<polyline/g)?.length, 4);
  });

  it('needs nothing from outside and runs nothing, whatever the VM is called', () => {
    const name = `<script src="//x">'&"\n\u0000`;
    const { source } = settled;
    assert.ok(source);
    const strange = { ...settled, source: { ...source, name } };
    const page = reportPage(storyOfMigration(strange), samples);
    assert.match(page, /<h1>&lt;script src=&quot;\/\/x&quot;&gt;&#39;&amp;&quot;\\x0a\\x00<\/h1>/);
    assert.doesNotMatch(page, /<script|<link|<img|url\(|@import|https?:/);
  });

  it('leaves out charts that nothing is known for', () => {
    assert.doesNotMatch(reportPage(storyOfMigration(settled), []), /<svg/);
  });
});

describe('cli/report/chart', () => {
  const chart: Chart = {
    title: 'Left',
    marks: [],
    base: 1024,
    format: String,
    fromSeconds: 0,
    toSeconds: 10,
    curves: [
      {
        name: 'a',
        tone: 'one',
        points: [
          [0, 0],
          [10, 3 * 1024],
        ],
      },
    ],
  };

  it('draws within its frame, on an axis of round figures', () => {
    const svg = chartFigure(chart) ?? assert.fail();
    const [, points = ''] = /points="([^"]+)"/.exec(svg) ?? [];
    assert.deepEqual(points.split(' '), ['86.0,210.0', '848.0,91.2']);
    for (const figure of [0, 1280, 2560, 3840, 5120]) assert.ok(svg.includes(`>${figure}</text>`));
    assert.ok(svg.includes('>10 s</text>'));
  });
});
