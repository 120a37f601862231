import { z } from 'zod';

/** The kinds of number and address that the configuration is made of. */
export const port = z.int().min(0).max(65_535);
export const positive = z.number().positive();
export const count = z.int().positive();
export const milliseconds = z.int().positive().max(86_400_000);
export const share = z.number().min(0).max(1);

/** An address that may stand in logs and error messages: it holds no user and no password. */
export const addressWithoutCredentials = (schemes: readonly string[], example: string) =>
  z
    .string()
    .max(2_048)
    .regex(new RegExp(`^(${schemes.join('|')})://[^/\\s]`), `expected an address such as ${example}`)
    .refine(
      (address) => !holdsCredentials(address),
      'expected an address without user and password; the user has a key of its own, the password comes from the environment',
    );

/** True for `scheme://user@host` and `scheme://user:password@host`. */
const holdsCredentials = (text: string): boolean => /:\/\/[^/?#\s]*@/.test(text);
