import { isObject } from '../monitor/qmp/types.ts';

/** The two enumerations of query-qmp-schema that decide what is safe; empty where they are missing. */
export interface SchemaFacts {
  readonly multifdCompressions: readonly string[];
  readonly migrationStatuses: readonly string[];
}

type Entity = Readonly<Record<string, unknown>>;

/** Reads them by their place in the schema: type names are numbers that differ from build to build. */
export function readSchema(reply: unknown): SchemaFacts {
  const entities = Array.isArray(reply) ? reply.filter(isObject) : [];
  const byName = new Map(entities.map((entity) => [entity['name'], entity]));
  const enumOf = (owner: string, type: 'arg-type' | 'ret-type', member: string): string[] => {
    const object = byName.get(byName.get(owner)?.[type]);
    return wordsOf(byName.get(memberType(object, member)));
  };
  return {
    multifdCompressions: enumOf('migrate-set-parameters', 'arg-type', 'multifd-compression'),
    migrationStatuses: enumOf('query-migrate', 'ret-type', 'status'),
  };
}

function memberType(object: Entity | undefined, member: string): unknown {
  const members: unknown = object?.['members'];
  if (!Array.isArray(members)) return undefined;
  return members.filter(isObject).find(({ name }) => name === member)?.['type'];
}

/** `members` came with 6.2; `values` is older and still there. */
function wordsOf(entity: Entity | undefined): string[] {
  const values = entity?.['values'];
  if (!Array.isArray(values)) return [];
  return values.filter((value) => typeof value === 'string');
}
