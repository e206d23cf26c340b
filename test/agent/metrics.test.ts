import assert from 'node:assert/strict';
import { agentMetrics, type AgentSources } from '../../agent/metrics.ts';
import type { Command } from '../../shared/command.ts';
import { memoryBroker } from '../../shared/memory-bus.ts';

/** An agent with one VM that moves and one at rest, whose brain fell silent. */
const agent = {
  vms: () => [{ migrationStatus: 'active' }, { migrationStatus: 'none' }],
  status: () => ({ brain: 'floored', brainSilentMilliseconds: 6500, droppedMessages: 4 }),
} as unknown as AgentSources['agent'];

describe('agent/metrics', () => {
  it('tells how the agent stands, in base units', async () => {
    const bus = memoryBroker().connect();
    const text = await agentMetrics(() => ({ agent, bus })).meter.registry.metrics();
    for (const line of [
      'ferryman_agent_bus_connected 1',
      'ferryman_agent_brain_heard 0',
      'ferryman_agent_brain_silent_seconds 6.5',
      'ferryman_agent_vms 2',
      'ferryman_agent_vms_migrating 1',
      'ferryman_agent_dropped_messages_total 4',
    ]) {
      assert.ok(text.split('\n').includes(line), `${line}, in\n${text}`);
    }
  });

  it('counts what was answered, whichever VM it was for', async () => {
    const { meter, onAnswer } = agentMetrics(() => undefined);
    const command = { operation: { kind: 'cancel' } } as Command;
    for (const id of ['a', 'b']) onAnswer({ ...command, id }, { id, outcome: 'refused' });
    const text = await meter.registry.metrics();
    assert.match(
      text,
      /^ferryman_agent_commands_total\{operation="cancel",outcome="refused"\} 2$/m,
    );
    assert.match(text, /^ferryman_agent_bus_connected 0$/m);
  });
});
