export type { ResourceRecord, Dnssec, AliasStep, AnswerStatus, Answer, AskOptions, Resolver, ResolverHealth } from './types.js';
export type { Message, Question, Edns } from './wire/message.js';
export { RRType, RRClass, Rcode, typeName, typeNumber } from './wire/types-registry.js';
