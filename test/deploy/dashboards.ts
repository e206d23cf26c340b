/** The dashboards that are deployed, as far as tests look at them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../scripts/tools.mjs';

export interface Dashboard {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly {
      readonly name: string;
      readonly type: string;
      readonly query: string;
    }[];
  };
  readonly annotations: {
    readonly list: readonly {
      readonly name: string;
      readonly target: { readonly query: string };
    }[];
  };
}

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>;
  readonly targets?: readonly { readonly query: string }[];
}

export interface DashboardQuery {
  readonly place: string;
  readonly statement: string;
}

const folder = join(projectRoot, 'deploy/grafana/dashboards');

export const dashboards: readonly Dashboard[] = readdirSync(folder).map(
  (file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Dashboard,
);

/** Every statement of panels, variables and annotations, with Grafana's words filled in. */
export function queriesOf(
  dashboard: Dashboard,
  chosen: Readonly<Record<string, string>>,
): readonly DashboardQuery[] {
  const { uid, panels, templating, annotations } = dashboard;
  const words = { ...chosen, timeFilter: 'time > now() - 1h', __interval: '1s' };
  const variables = templating.list.filter(({ type }) => type === 'query');
  return [
    ...panels.flatMap(({ title, targets = [] }) =>
      targets.map(({ query }) => ({ place: `panel ${title}`, query })),
    ),
    ...variables.map(({ name, query }) => ({ place: `variable ${name}`, query })),
    ...annotations.list.map(({ name, target: { query } }) => ({ place: `mark ${name}`, query })),
  ].map(({ place, query }) => ({
    place: `${uid}, ${place}`,
    statement: Object.entries(words).reduce(
      (text, [name, value]) => text.replaceAll(`$${name}`, value),
      query,
    ),
  }));
}
