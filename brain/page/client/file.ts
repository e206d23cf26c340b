/** Files of the user's own machine: by the dialogue, or dropped onto the page. */

export interface FileOptions {
  /** May throw: its message is then told. */
  readonly onText: (name: string, text: string) => void;
  readonly onError: (message: string) => void;
}

/** More than any migration has been recorded with; a browser tab would suffer. */
const mostBytes = 256 * 1024 ** 2;

/** Plain text or gzip, whichever it is. */
export function onFile(
  button: HTMLElement,
  input: HTMLInputElement,
  { onText, onError }: FileOptions,
): void {
  const read = async (file: File | null | undefined) => {
    if (!file) return;
    try {
      onText(file.name, await textOf(file));
    } catch (error) {
      onError(`${file.name}: ${error instanceof Error ? error.message : 'cannot be read'}`);
    }
  };
  button.addEventListener('click', () => {
    input.click();
  });
  input.addEventListener('change', () => {
    void read(input.files?.[0]);
    input.value = '';
  });
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    void read(event.dataTransfer?.files[0]);
  });
}

async function textOf(file: File): Promise<string> {
  if (file.size > mostBytes) throw new Error('too large');
  if (!file.name.endsWith('.gz')) return file.text();
  const unpacked = file.stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(unpacked).text();
}
