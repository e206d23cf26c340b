// Builds proto/generated/ferryman.{js,d.ts} from proto/*.proto; does nothing when they are newer.
import { execFile } from 'node:child_process';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '..');
const generated = path.join(root, 'proto/generated');
const javascript = path.join(generated, 'ferryman.js');
const types = path.join(generated, 'ferryman.d.ts');

/** Modification time, or 0 for a file that does not exist. */
async function modifiedAt(file) {
  return stat(file).then(
    (found) => found.mtimeMs,
    () => 0,
  );
}

/** Generates the code when a .proto file or this script is newer than it. */
export async function buildProto() {
  const names = (await readdir(path.join(root, 'proto'))).filter((name) => name.endsWith('.proto'));
  const sources = names.map((name) => path.join(root, 'proto', name));
  const inputs = await Promise.all([...sources, fileURLToPath(import.meta.url)].map(modifiedAt));
  const outputs = await Promise.all([javascript, types].map(modifiedAt));
  if (Math.min(...outputs) > Math.max(...inputs)) return;
  const cli = path.dirname(createRequire(import.meta.url).resolve('protobufjs-cli/package.json'));
  await mkdir(generated, { recursive: true });
  const shape = ['--target=static-module', '--wrap=esm', '--dependency=protobufjs/minimal.js'];
  const lean = ['--no-delimited', '--no-typeurl', '--no-service', '--no-verify'];
  const pbjs = path.join(cli, 'bin/pbjs');
  await run(process.execPath, [pbjs, ...shape, ...lean, `--out=${javascript}`, ...sources]);
  await run(process.execPath, [path.join(cli, 'bin/pbts'), `--out=${types}`, javascript]);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await buildProto();
