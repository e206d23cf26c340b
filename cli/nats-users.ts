/** Who may say and hear what on NATS: one user for each agent, brain and operator, by nkey. */
import { buildSubject, everyHost, hostId, inboxPrefix, keptSubject } from '../shared/subjects.ts';

export const parts = ['agent', 'brain', 'operator'] as const;
export type Part = (typeof parts)[number];

interface Permissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  /** For how long a request may be answered; absent means that this user answers nobody. */
  readonly answersWithin?: string;
}

const stream = 'FERRYMAN_HISTORY';
const reader = 'influxdb';

/** What a brain does with the stream of its history: make it, read it, acknowledge. Never purge it. */
const streamCalls = [
  '$JS.API.INFO',
  ...['INFO', 'CREATE'].map((call) => `$JS.API.STREAM.${call}.${stream}`),
  ...['INFO', 'CREATE', 'DURABLE.CREATE', 'MSG.NEXT'].map(
    (call) => `$JS.API.CONSUMER.${call}.${stream}.${reader}`,
  ),
  `$JS.ACK.${stream}.${reader}.>`,
];

const bucket = 'KV_ferryman';

/** What a brain does with what all brains share: make it, read it, write it, take single values out. */
const bucketCalls = [
  ...['INFO', 'CREATE', 'MSG.GET', 'MSG.DELETE'].map((call) => `$JS.API.STREAM.${call}.${bucket}`),
  keptSubject('>'),
];

/**
 * The least that each part can work with. An agent publishes under its own host's subjects only and
 * sees no command but its own; replies come to an inbox that nobody else may read.
 */
const permissionsOf: Readonly<Record<Part, (id: string) => Permissions>> = {
  agent: (host) => ({
    publish: [`${buildSubject({ channel: 'tel', host })}.>`],
    subscribe: [
      buildSubject({ channel: 'cmd', host }),
      everyHost('lead'),
      `${inboxPrefix('agent', host)}.>`,
    ],
    // A destination that is started may take 40 s to answer.
    answersWithin: '1m',
  }),
  brain: (id) => ({
    publish: [
      everyHost('cmd'),
      buildSubject({ channel: 'lead', host: id }),
      buildSubject({ channel: 'hist', host: id }),
      ...streamCalls,
      ...bucketCalls,
    ],
    subscribe: [everyHost('tel'), everyHost('op'), `${inboxPrefix('brain', id)}.>`],
    answersWithin: '1m',
  }),
  operator: () => ({ publish: [everyHost('op')], subscribe: ['_INBOX.>'] }),
};

/**
 * A user block for the server's configuration. `id` is the host of an agent or the name of a brain;
 * an operator's is only a comment. Throws SubjectError for a name that cannot stand in a subject.
 */
export function natsUser(part: Part, id: string, publicKey: string): string {
  const { publish, subscribe, answersWithin } = permissionsOf[part](hostId(id));
  const list = (subjects: readonly string[]) =>
    `[${subjects.map((subject) => `\n        "${subject}"`).join('')}\n      ]`;
  return [
    `  # ${part} ${hostId(id)}`,
    '  {',
    `    nkey: ${publicKey}`,
    '    permissions: {',
    `      publish: ${list(publish)}`,
    `      subscribe: ${list(subscribe)}`,
    ...(answersWithin === undefined
      ? []
      : [`      allow_responses: { max: 1, expires: "${answersWithin}" }`]),
    '    }',
    '  }',
    '',
  ].join('\n');
}
