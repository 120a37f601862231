const faults: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the device',
  EDQUOT: 'no space left in the quota',
  EFBIG: 'the file would be larger than it may be',
  EROFS: 'the file system cannot be written to',
  EIO: 'the device failed',
};

/** Why the operating system did not keep what was written, in words; null for every other error. No connection fails with these. */
export const storageFault = (error: unknown): string | null => {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return null;
  const fault = Object.hasOwn(faults, error.code) ? faults[error.code] : undefined;
  return fault === undefined ? null : `${fault} (${error.code})`;
};
