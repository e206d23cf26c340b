import assert from 'node:assert/strict';
import { Leadership, standbysOf, type Term } from '../../../brain/leadership/leadership.ts';
import { silentLog } from '../../../shared/log.ts';
import { heldClock } from '../fixtures.ts';
import { memoryStore } from '../memory-store.ts';

describe('brain/leadership/leadership', () => {
  function board() {
    const clock = heldClock();
    const store = memoryStore(clock.wallMilliseconds);
    const brainOf = (brain: string, heardEpoch = () => 0, wallAheadMilliseconds = 0) => {
      const terms: Term[] = [];
      const leadership = new Leadership({
        store,
        brain,
        life: `${brain}-${Math.random()}`,
        clock: {
          ...clock,
          wallMilliseconds: () => clock.wallMilliseconds() + wallAheadMilliseconds,
        },
        log: silentLog,
        heardEpoch,
        onTerm: (term) => void terms.push(term),
      });
      return { leadership, terms };
    };
    type Brain = ReturnType<typeof brainOf>;
    /** Time passes, and each of these takes its steps. */
    const pass = async (milliseconds: number, ...brains: readonly Brain[]) => {
      for (let passed = 0; passed < milliseconds; passed += 350) {
        clock.advance(350);
        for (const { leadership } of brains) await leadership.step();
      }
    };
    return { clock, store, brainOf, pass };
  }
  const leads = (...brains: readonly { leadership: Leadership }[]) =>
    brains.map(({ leadership }) => leadership.epoch() !== undefined);

  it('is with one brain only, for as long as it renews', async () => {
    const { brainOf, pass } = board();
    const [one, two] = [brainOf('one'), brainOf('two')];
    await pass(700, one, two);
    assert.deepEqual(leads(one, two), [true, false]);
    await pass(60_000, one, two);
    assert.deepEqual(leads(one, two), [true, false]);
    assert.equal(one.terms.length, 1);
    assert.equal(two.leadership.leader(), 'one');
  });

  it('goes to another within three seconds of the death of the first, under a greater epoch', async () => {
    const { brainOf, pass } = board();
    const [one, two] = [brainOf('one'), brainOf('two')];
    await pass(700, one, two);
    const epoch = one.leadership.epoch() ?? NaN;
    await pass(2_700, two);
    assert.deepEqual(leads(one, two), [false, true]);
    assert.ok((two.leadership.epoch() ?? 0) > epoch);
    const [term] = two.terms;
    assert.equal(term?.isContinued, false);
    const vacant = term.takenAtMilliseconds - term.vacantSinceMilliseconds;
    assert.ok(vacant >= 2_000 && vacant < 3_000, `vacant for ${vacant} ms`);
  });

  it('goes to another at once when it is given back', async () => {
    const { brainOf, pass } = board();
    const [one, two] = [brainOf('one'), brainOf('two')];
    await pass(700, one, two);
    await one.leadership.stop();
    assert.deepEqual(leads(one), [false]);
    await pass(350, two);
    assert.deepEqual(leads(two), [true]);
  });

  it('is given back also amid a renewal', async () => {
    const { brainOf, pass } = board();
    const [one, two] = [brainOf('one'), brainOf('two')];
    await pass(700, one, two);
    void one.leadership.step();
    await one.leadership.stop();
    await pass(350, two);
    assert.deepEqual(leads(one, two), [false, true]);
  });

  it('ends by itself before anybody else can have it, even if no timer fires', async () => {
    const { brainOf, pass, clock, store } = board();
    const one = brainOf('one');
    await pass(350, one);
    store.isAway = true;
    clock.advance(1_300);
    assert.deepEqual(leads(one), [true]);
    clock.advance(200);
    assert.deepEqual(leads(one), [false]);
  });

  it('is not taken back by a brain that was frozen while another led', async () => {
    const { brainOf, pass } = board();
    const [one, two] = [brainOf('one'), brainOf('two')];
    await pass(700, one, two);
    await pass(5_000, two);
    assert.deepEqual(leads(one, two), [false, true]);
    await pass(5_000, one, two);
    assert.deepEqual(leads(one, two), [false, true]);
    await two.leadership.stop();
    await pass(350, one);
    assert.equal(one.terms.at(-1)?.isContinued, false);
  });

  it('goes on under the same epoch when only the store was away', async () => {
    const { brainOf, pass, store } = board();
    const one = brainOf('one');
    await pass(350, one);
    const epoch = one.leadership.epoch();
    store.isAway = true;
    await pass(20_000, one);
    assert.deepEqual(leads(one), [false]);
    store.isAway = false;
    await pass(350, one);
    assert.equal(one.leadership.epoch(), epoch);
    assert.deepEqual(
      one.terms.map(({ isContinued }) => isContinued),
      [false, true],
    );
  });

  it('never goes under an epoch that an agent has heard, whatever the clocks and the store say', async () => {
    const { brainOf, pass, store, clock } = board();
    const ahead = brainOf('ahead', () => 0, 3_600_000);
    await pass(350, ahead);
    const epoch = ahead.leadership.epoch() ?? NaN;
    const behind = brainOf('behind');
    await pass(3_000, behind);
    assert.equal(behind.leadership.epoch(), epoch + 1);
    store.lose();
    const fresh = brainOf('fresh', () => epoch + 1);
    await pass(350, fresh);
    assert.equal(fresh.leadership.epoch(), epoch + 2);
    assert.ok(epoch > clock.wallMilliseconds());
  });

  it('goes on under a greater epoch when agents obey its own no more, but believes no nonsense', async () => {
    const { brainOf, pass, clock } = board();
    const heard = { epoch: 0 };
    const one = brainOf('one', () => heard.epoch);
    await pass(350, one);
    heard.epoch = clock.wallMilliseconds() + 3_600_000;
    await pass(350, one);
    assert.equal(one.leadership.epoch(), heard.epoch + 1);
    assert.equal(one.terms.at(-1)?.isContinued, true);
    heard.epoch = Number.MAX_SAFE_INTEGER;
    await pass(700, one);
    assert.equal(one.terms.length, 2);
  });

  it('is told by those who stand by', async () => {
    const { brainOf, pass, store } = board();
    const brains = ['one', 'two', 'three'].map((name) => brainOf(name));
    await pass(700, ...brains);
    assert.deepEqual(await standbysOf(store), ['three', 'two']);
    await pass(20_000, ...brains.slice(0, 2));
    assert.deepEqual(await standbysOf(store), ['two']);
  });

  for (let seed = 1; seed <= 20; seed += 1) {
    it(`is never with two, whoever freezes and whatever is out of reach (${seed})`, async () => {
      const { brainOf, clock, store } = board();
      const brains = [brainOf('one'), brainOf('two'), brainOf('three')];
      const random = randomFrom(seed);
      let frozen: number | undefined;
      for (let count = 0; count < 400; count += 1) {
        clock.advance(Math.floor(random() * 300));
        if (random() < 0.05) frozen = Math.floor(random() * 4);
        store.isAway = random() < 0.2;
        for (const [index, { leadership }] of brains.entries()) {
          if (index !== frozen && random() < 0.6) await leadership.step();
        }
        const leading = leads(...brains).filter(Boolean).length;
        assert.ok(leading <= 1, `${leading} lead after ${count} steps`);
      }
      const epochs = brains.flatMap(({ terms }) => terms).filter((term) => !term.isContinued);
      assert.equal(new Set(epochs.map(({ epoch }) => epoch)).size, epochs.length);
    });
  }
});

/** A linear congruential generator: the same figures for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}
