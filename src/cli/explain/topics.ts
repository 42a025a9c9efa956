import { policyTopics } from './policy-topics-registry.js';
import { tlsTopics } from './tls-topics-registry.js';
import type { Topic } from './topic.js';

/** Every subject, from what happens on the wire to what guards it. */
export const topics: readonly Topic[] = [...tlsTopics, ...policyTopics];
