export interface PackageOptions {
  /** By default that of package.json. */
  readonly version?: string;
  /** By default `dist/deb`; emptied first. */
  readonly target?: string;
}

/** Builds the Debian packages and returns their paths. */
export function buildPackages(options?: PackageOptions): Promise<readonly string[]>;
