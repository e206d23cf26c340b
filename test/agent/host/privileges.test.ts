import assert from 'node:assert/strict';
import { userInfo } from 'node:os';
import { ownPrivileges, parseCapabilities } from '../../../agent/host/privileges.ts';

const status = (effective: string) => `Name:\tnode\nCapPrm:\tffff\nCapEff:\t${effective}\n`;

describe('agent/host/privileges', () => {
  it('names the capabilities in effect', () => {
    assert.deepEqual(parseCapabilities(status('0000000000080004')), [
      'CAP_DAC_READ_SEARCH',
      'CAP_SYS_PTRACE',
    ]);
    assert.equal(parseCapabilities(status('000001ffffffffff')).length, 3);
    assert.deepEqual(parseCapabilities(status('0000000000000000')), []);
    assert.deepEqual(parseCapabilities('Name:\tnode\n'), []);
  });

  it('says as whom this process runs', () => {
    assert.equal(ownPrivileges().user, userInfo().username);
  });
});
