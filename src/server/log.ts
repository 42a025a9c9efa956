import { neutralise } from '../base/index.js';

/** Severity of a log line. */
export type Level = 'info' | 'warn' | 'error';

/**
 * A log with one line for each event. Fields are facts about the event; they never
 * contain secrets.
 */
export interface Log {
  info(event: string, fields?: Fields): void;
  warn(event: string, fields?: Fields): void;
  error(event: string, fields?: Fields): void;
}

export type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface LogOptions {
  /** `plain`: `time level event key=value`; `json`: one object per line. */
  readonly format: 'plain' | 'json';
  write(line: string): void;
  /** Returns the milliseconds since 1970. */
  now(): number;
}

/**
 * Returns a log with one line for each event. Foreign text in fields is neutralised, so
 * that it can neither end a line nor control a terminal.
 */
export function createLog({ format, write, now }: LogOptions): Log {
  const line = (level: Level, event: string, fields: Fields = {}): void => {
    const time = new Date(now()).toISOString();
    const facts = Object.entries(fields).flatMap(([identity, value]) =>
      value === undefined ? [] : [[identity, safe(value)] as const],
    );
    if (format === 'json')
      return write(`${JSON.stringify({ time, level, event, ...Object.fromEntries(facts) })}\n`);
    const pairs = facts.map(([identity, value]) => `${identity}=${plain(value)}`);
    write(`${[time, level, event, ...pairs].join(' ')}\n`);
  };
  return {
    info: (event, fields) => line('info', event, fields),
    warn: (event, fields) => line('warn', event, fields),
    error: (event, fields) => line('error', event, fields),
  };
}

function safe(value: string | number | boolean): string | number | boolean {
  return typeof value === 'string' ? neutralise(value) : value;
}

function plain(value: string | number | boolean): string {
  return typeof value === 'string' && !/^[^\s"=]+$/.test(value)
    ? JSON.stringify(value)
    : String(value);
}
