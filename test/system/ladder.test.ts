/** The talk's performance accessor on real QEMU: its order of methods, and all that it sends. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { recordingProxy, type RecordedCommand } from '../fakes/recording-proxy.ts';
import {
  build,
  createStage,
  ended,
  guests,
  rulesOf,
  runningSides,
  settingsOf,
  versions,
} from './support.ts';

const stage = createStage();

/** Parameters that act while a migration runs (qemu-facts A2); any other does nothing, or kills. */
const acting: ReadonlySet<string> = new Set([
  'downtime-limit',
  'max-bandwidth',
  'avail-switchover-bandwidth',
  'max-postcopy-bandwidth',
  'cpu-throttle-initial',
  'cpu-throttle-increment',
  'max-cpu-throttle',
  'throttle-trigger-threshold',
]);

/** What reached QEMU although it has no effect at that moment, or endangers the VM. */
function offences(commands: readonly RecordedCommand[]): readonly RecordedCommand[] {
  return commands.filter(({ name, arguments: given, inFlight, inPostCopy }) => {
    if (name === 'migrate-set-capabilities') return inFlight;
    if (name === 'migrate-set-parameters')
      return inFlight && Object.keys(given).some((parameter) => !acting.has(parameter));
    if (name === 'migrate_cancel') return inPostCopy;
    if (name === 'calc-dirty-rate') return (given['mode'] ?? 'page-sampling') !== 'page-sampling';
    if (name === 'qom-get') return given['path'] !== '/machine' || given['property'] !== 'type';
    if (/^migrate(-incoming)?$/.test(name)) return !/^(tcp|unix):/.test(String(given['uri']));
    return !/^(query-.*|qmp_capabilities|migrate-(start-postcopy|recover|pause))$/.test(name);
  });
}

const order = [
  'diverging-enable-auto-converge',
  'diverging-try-compression',
  'diverging-try-xbzrle',
  'all-methods-tried',
];

describe('ferryman run --policy ladder', () => {
  before(build);
  afterEach(() => stage.clear());

  for (const qemu of versions) {
    for (const postCopy of ['last-resort', 'never'] as const) {
      it(`climbs rung by rung on QEMU ${qemu}, post-copy ${postCopy}`, async () => {
        const pair = await stage.pair(guests.fourfold, { qemu });
        const before = await settingsOf(pair.sourceQmp);
        const folder = stage.folder();
        const source = await recordingProxy(join(folder, 'source.qmp'), pair.sourceQmp);
        stage.undo(() => source.stop());
        const destination = await recordingProxy(join(folder, 'to.qmp'), pair.destinationQmp);
        stage.undo(() => destination.stop());
        const run = stage.run(
          { ...pair, sourceQmp: source.path, destinationQmp: destination.path },
          ...['--policy', 'ladder', '--max-throttle', '10%', '--post-copy', postCopy],
          ...['--destination-command', pair.destinationCommand],
        );
        const { code, lines, result } = await ended(run);
        const methods = rulesOf(lines).filter((rule) => /^(diverging|all)-/.test(String(rule)));
        assert.deepEqual([...new Set(methods)], order);
        assert.equal(result.restarts, 2);
        assert.equal(result.maxThrottlePercent, 10);
        assert.equal(result.postCopy, postCopy === 'last-resort');
        assert.deepEqual(offences([...source.commands, ...destination.commands]), []);
        if (postCopy === 'last-resort') {
          assert.deepEqual([code, result.outcome], [0, 'completed']);
          // ferryman started this destination for the last rung, and has ended: it lives on.
          assert.deepEqual(await runningSides(pair), ['destination']);
        } else {
          assert.equal(code, 4);
          assert.match(result.reason ?? '', /left running on the source/);
          assert.deepEqual(await runningSides(pair), ['source']);
          assert.deepEqual(await settingsOf(pair.sourceQmp), before);
        }
      });
    }
  }
});
