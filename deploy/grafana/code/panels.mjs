// The pieces that dashboards are made of. Queries are InfluxQL that InfluxDB 1, 2 and 3 answer
// (brain/history/influxql.ts has the rule); names are those of brain/history/points.ts.

const datasource = { type: 'influxdb', uid: '${ds}' };

/** How many of Grafana's 24 columns and how many rows a panel of a kind takes. */
const sizes = { stat: [4, 4], timeseries: [12, 8], table: [24, 9], row: [24, 1] };

/** One number, the latest. */
export function stat(title, unit, query, description = '') {
  return {
    type: 'stat',
    title,
    description,
    fieldConfig: { defaults: { unit }, overrides: [] },
    options: {
      reduceOptions: { calcs: ['lastNotNull'] },
      colorMode: 'none',
      graphMode: 'none',
    },
    targets: targets({ [title]: query }, 'time_series'),
  };
}

/** Curves over time; `curves` are queries by the name they get in the legend. */
export function timeSeries(title, unit, curves, { description = '', bars = false, most } = {}) {
  const custom = bars
    ? { drawStyle: 'bars', fillOpacity: 60, lineWidth: 1 }
    : { drawStyle: 'line', lineWidth: 2, fillOpacity: 5, showPoints: 'never', spanNulls: 5_000 };
  const range = most === undefined ? { min: 0 } : { min: 0, max: most };
  return {
    type: 'timeseries',
    title,
    description,
    fieldConfig: { defaults: { unit, ...range, custom }, overrides: [] },
    options: {
      legend: { displayMode: 'list', placement: 'bottom' },
      tooltip: { mode: 'multi' },
    },
    targets: targets(curves, 'time_series'),
  };
}

/** Rows of fields, sorted by one of them. */
export function table(title, query, sortBy, description = '') {
  return {
    type: 'table',
    title,
    description,
    fieldConfig: { defaults: {}, overrides: [] },
    options: { showHeader: true, sortBy: [sortBy] },
    targets: targets({ [title]: query }, 'table'),
  };
}

export function row(title) {
  return { type: 'row', title, collapsed: false, panels: [] };
}

function targets(queries, resultFormat) {
  return Object.entries(queries).map(([alias, query], index) => ({
    refId: String.fromCharCode(65 + index),
    datasource,
    rawQuery: true,
    resultFormat,
    query,
    ...(resultFormat === 'time_series' && { alias }),
  }));
}

/** A choice among the values of a tag. */
export function choice(name, label, measurement, { multi = false } = {}) {
  return {
    name,
    label,
    type: 'query',
    datasource,
    query: `SHOW TAG VALUES FROM "${measurement}" WITH KEY = "${name}"`,
    refresh: 2,
    sort: 1,
    multi,
    includeAll: multi,
    options: [],
    current: {},
    hide: 0,
    regex: '',
  };
}

/** Decisions as marks on the time axis, with their reasons. */
export function decisionMarks(where) {
  return {
    name: 'Decisions',
    enable: true,
    iconColor: 'orange',
    datasource,
    target: {
      refId: 'decisions',
      fromAnnotations: true,
      rawQuery: true,
      query: `SELECT "title", "summary", "method" FROM "ferryman_decision" WHERE ${where}`,
      titleColumn: 'title',
      textColumn: 'summary',
      tagsColumn: 'method',
    },
  };
}

const dataSourceChoice = {
  name: 'ds',
  label: 'Data source',
  type: 'datasource',
  query: 'influxdb',
  refresh: 1,
  options: [],
  current: {},
  hide: 0,
  regex: '',
};

/** A dashboard; panels stand in their order, line by line. */
export function dashboard({ uid, title, description, from, choices = [], marks = [], panels }) {
  return {
    uid,
    title,
    description,
    tags: ['ferryman'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    timezone: '',
    refresh: '5s',
    time: { from, to: 'now' },
    templating: { list: [dataSourceChoice, ...choices] },
    annotations: { list: marks },
    links: [
      {
        title: 'ferryman',
        type: 'dashboards',
        tags: ['ferryman'],
        asDropdown: true,
        keepTime: true,
      },
    ],
    panels: placed(panels),
  };
}

function placed(panels) {
  let [x, y, lineHeight] = [0, 0, 0];
  return panels.map((panel, index) => {
    const [w, h] = sizes[panel.type];
    if (x + w > 24) [x, y, lineHeight] = [0, y + lineHeight, 0];
    const gridPos = { h, w, x, y };
    x += w;
    lineHeight = Math.max(lineHeight, h);
    const source = panel.type === 'row' ? {} : { datasource };
    return { id: index + 1, ...panel, ...source, gridPos };
  });
}
