/**
 * A monitor that cannot be made to send what is dangerous: every call passes the allow-list and the
 * hazard table, judged by what this very monitor last said of its QEMU.
 */
import { FerrymanError } from '../../shared/errors.ts';
import { asFields, asFieldsList, stringField, type Fields } from '../collectors/fields.ts';
import type { Monitor } from '../monitor/monitor.ts';
import { hazardOf, type Situation } from '../qemu/hazards.ts';
import type { Inspection } from '../qemu/inspect.ts';

/** The call was not sent, because it is not allowed or would be dangerous now. */
export class HazardError extends FerrymanError {
  constructor(address: string, hazard: string) {
    super('HAZARD', `${address}: not sent, ${hazard}`);
  }
}

/** A guarded monitor rejects with HazardError what must not be sent now. */
export function guardMonitor(
  monitor: Monitor,
  inspection: Inspection,
  postCopyRequested: boolean,
): Monitor {
  let situation: Situation = { ...inspection, postCopyRequested };
  return {
    address: monitor.address,
    ...(monitor.owner && { owner: monitor.owner }),
    async execute(command, given = {}, timeoutMilliseconds) {
      const call = { command, arguments: given as Fields };
      const hazard = hazardOf(call, situation);
      if (hazard !== undefined) throw new HazardError(monitor.address, hazard);
      // Latched before it is sent: a reply that never comes must not unlatch it.
      if (command === 'migrate-start-postcopy')
        situation = { ...situation, postCopyRequested: true };
      const reply = await monitor.execute(command, given, timeoutMilliseconds);
      const news = learned(command, call.arguments, reply, situation);
      if (news !== undefined) situation = { ...situation, ...news };
      return reply;
    },
    onEvent: (listener) => {
      monitor.onEvent(listener);
    },
    onClose: (listener) => {
      monitor.onClose(listener);
    },
    close: () => {
      monitor.close();
    },
  };
}

/** What a reply tells that was not known of the situation: mostly nothing. */
function learned(
  command: string,
  given: Fields,
  reply: unknown,
  { settings, migrationStatus, runState }: Situation,
): Partial<Situation> | undefined {
  const status = stringField(asFields(reply) ?? {}, 'status');
  switch (command) {
    case 'query-migrate':
      return changed('migrationStatus', migrationStatus, status ?? 'none');
    case 'query-status':
      return changed('runState', runState, status ?? runState);
    case 'migrate':
      return given['resume'] === true
        ? undefined
        : { migrationStatus: 'setup', postCopyRequested: false };
    case 'migrate-set-capabilities': {
      const states = asFieldsList(given['capabilities']).map(
        ({ capability, state }) => [String(capability), state === true] as const,
      );
      const capabilities = { ...settings.capabilities, ...Object.fromEntries(states) };
      return { settings: { ...settings, capabilities } };
    }
    default:
      return undefined;
  }
}

function changed(
  field: 'migrationStatus' | 'runState',
  before: string,
  now: string,
): Partial<Situation> | undefined {
  return before === now ? undefined : { [field]: now };
}
