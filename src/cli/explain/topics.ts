import { policyTopics } from './policy-topics-registry.js';
import { tlsTopics } from './tls-topics-registry.js';
import type { ExplainTopic } from './topic.js';

/** Every topic, from TLS connections to the policies that require TLS. */
export const explainTopics: readonly ExplainTopic[] = [...tlsTopics, ...policyTopics];
