/**
 * Our unions carry their `kind` inside: `{kind: 'start-destination', family}`. On the wire a union is
 * a message with `oneof kind`: `{startDestination: {family}}`. `keys` says where in a message unions
 * are: `['operation', 'endpoint']` is one under `operation` and, inside that, maybe one under `endpoint`.
 */
type Plain = Readonly<Record<string, unknown>>;

const camel = (kind: string) => kind.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
const kebab = (member: string) => member.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Domain to wire. */
export function foldUnions(message: Plain, keys: readonly string[]): Plain {
  return convertUnions(message, keys, ({ kind, ...fields }, deeper) => ({
    [camel(String(kind))]: foldUnions(fields, deeper),
  }));
}

/**
 * Wire to domain; `message` comes from protobufjs with `oneofs: true`, which names in `kind` the member
 * that is set (of several, the last). A union without member is left empty: validation refuses it.
 */
export function unfoldUnions(message: Plain, keys: readonly string[]): Plain {
  return convertUnions(message, keys, ({ kind, ...members }, deeper) => {
    const member = String(kind);
    if (!(member in members)) return members;
    return { ...unfoldUnions(members[member] as Plain, deeper), kind: kebab(member) };
  });
}

function convertUnions(
  message: Plain,
  [key, ...deeper]: readonly string[],
  convert: (union: Plain, deeper: readonly string[]) => Plain,
): Plain {
  if (key === undefined || !(key in message)) return message;
  return { ...message, [key]: convert(message[key] as Plain, deeper) };
}
