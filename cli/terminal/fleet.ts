/** A fleet at a glance: its hosts, its VMs, its migrations. Pure. */
import type { FleetView, HostSummary, MigrationView, VmView } from '../../brain/desk/views.ts';
import { silentAfterMilliseconds } from '../../brain/desk/preflight.ts';
import { formatBytes, formatMilliseconds } from '../../brain/words/figures.ts';
import { paint, span, type Line, type Style, type Tone } from './style.ts';
import { symbolsFor } from './symbols.ts';
import { table } from './table.ts';

/** Three tables, each under its heading; an empty one says so. */
export function renderFleet({ hosts, vms, migrations }: FleetView, style: Style): string[] {
  const lines = [
    ...section('HOSTS', ['host', 'VMs', 'free memory', 'agent'], hosts.map(hostCells)),
    [],
    ...section(
      'VMS',
      ['vm', 'host', 'state', 'memory', 'QEMU', 'mode', ''],
      vms.map((vm) => vmCells(vm)),
    ),
    [],
    ...section(
      'MIGRATIONS',
      ['id', 'vm', 'way', 'phase', 'took', 'downtime', ''],
      migrations.map((migration) => migrationCells(migration, style)),
    ),
  ];
  return lines.map((line) => paint(line, style));
}

function section(
  title: string,
  headings: readonly string[],
  rows: readonly (readonly Line[])[],
): readonly Line[] {
  if (rows.length === 0) return [[span(title, 'strong'), span('  none', 'faint')]];
  const head = headings.map((text): Line => [span(text, 'faint')]);
  return [[span(title, 'strong')], ...table([head, ...rows])];
}

const cell = (text: string, tone: Tone = 'plain'): Line => [span(text, tone)];

function hostCells({ host, vms, freeMemoryBytes, silentMilliseconds }: HostSummary) {
  const isSilent = silentMilliseconds > silentAfterMilliseconds;
  return [
    cell(host, 'strong'),
    cell(String(vms)),
    cell(freeMemoryBytes === undefined ? '?' : formatBytes(freeMemoryBytes)),
    isSilent ? cell(`silent for ${formatMilliseconds(silentMilliseconds)}`, 'bad') : cell('heard'),
  ];
}

function vmCells({ vm, host, runState, ramBytes, qemuVersion, mode, held, migration }: VmView) {
  const note =
    held === undefined
      ? cell(migration === undefined ? '' : `in migration ${migration}`, 'accent')
      : cell(`held: ${held}`, 'warning');
  return [
    cell(vm, 'strong'),
    cell(host),
    cell(runState),
    cell(formatBytes(ramBytes)),
    cell(qemuVersion),
    cell(mode),
    note,
  ];
}

function migrationCells(migration: MigrationView, style: Style) {
  const { id, vm, source, destination, phase, result, elapsedMilliseconds } = migration;
  const { arrow } = symbolsFor(style);
  const isFine = result?.outcome === 'completed';
  return [
    cell(id, 'strong'),
    cell(vm),
    cell(`${source} ${arrow} ${destination}`),
    result ? cell(result.outcome, isFine ? 'good' : 'bad') : cell(phase, 'accent'),
    cell(formatMilliseconds(result?.totalMilliseconds ?? elapsedMilliseconds)),
    cell(result ? formatMilliseconds(result.downtimeMilliseconds) : ''),
    cell(result ? (result.reason ?? '') : progressOf(migration)),
  ];
}

function progressOf({ remainingBytes, throttlePercent = 0 }: MigrationView): string {
  const left = remainingBytes === undefined ? [] : [`${formatBytes(remainingBytes)} left`];
  const held = throttlePercent > 1 ? [`held back by ${throttlePercent.toFixed(0)} %`] : [];
  return [...left, ...held].join(', ');
}
