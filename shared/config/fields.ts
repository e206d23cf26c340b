/** Settings that several sections have, each with its bounds and the remedy when it is wrong. */
import * as z from 'zod';

/** An absolute path; PATH_MAX of Linux bounds it. */
export const path = z
  .string()
  .regex(/^\/[^\0]{0,4095}$/, 'write an absolute path of at most 4096 characters, /like/this');

/** A short name. */
export const word = z.string().min(1).max(256);

const isWithoutSecret = (url: string) => !/:\/\/[^/]*@/.test(url);

/** An address of the given form, at most 2048 characters, without credentials in it. */
export function address(form: RegExp, remedy: string) {
  return z
    .string()
    .max(2048)
    .regex(form, remedy)
    .refine(isWithoutSecret, 'credentials do not belong into an address; put them into a file');
}

/** A whole number within bounds; a variable or a flag gives it as text. */
export function wholeNumber(least: number, most: number) {
  const error = `write a whole number from ${least} to ${most}`;
  const toNumber = (given: unknown) =>
    typeof given === 'string' && /^\d{1,15}$/.test(given) ? Number(given) : given;
  return z.preprocess(toNumber, z.int({ error }).min(least, error).max(most, error));
}

/** Where to listen. */
export interface ListenAddress {
  readonly host: string;
  /** 0 is any that is free. */
  readonly port: number;
}

const loopbackForm = /^(127(?:\.\d{1,3}){3}|localhost|\[::1\]):(\d{1,5})$/;
const loopbackRemedy =
  'write a loopback address, 127.0.0.1:9471; for others put a proxy with TLS and a login before it';

/** `127.0.0.1:9471`: on loopback only, because what is said there is said without a login. */
export const loopback = z.string().transform((text, context): ListenAddress => {
  const [, host = '', port] = loopbackForm.exec(text) ?? [];
  if (host !== '' && Number(port) <= 65_535) {
    return { host: host.replace(/[[\]]/g, ''), port: Number(port) };
  }
  context.addIssue({ code: 'custom', message: loopbackRemedy });
  return z.NEVER;
});
