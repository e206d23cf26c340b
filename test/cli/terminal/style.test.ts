import assert from 'node:assert/strict';
import { styleFor } from '../../../cli/terminal/style.ts';

describe('the style of a terminal', () => {
  it('takes a terminal that says 0 for one that does not know its size, as those without a window do', () => {
    const { columns, rows } = styleFor({ isTTY: true, columns: 0, rows: 0 }, {});
    assert.deepEqual({ columns, rows }, { columns: 100, rows: 40 });
  });

  it('keeps to what a terminal says, and to a least width', () => {
    assert.equal(styleFor({ isTTY: true, columns: 80, rows: 24 }, {}).columns, 80);
    assert.equal(styleFor({ isTTY: true, columns: 10, rows: 24 }, {}).columns, 24);
  });
});
