import type { Action } from '../actions.js';

/** Describes an action in one line, human-readable. */
export function describeAction(action: Action): string {
  switch (action.kind) {
    case 'import-key': {
      const { chain, key, host, from } = action;
      if (!chain) return `import the key ${key} of ${host} from ${from.file}`;
      return `import key and certificate ${key} of ${host} from ${chain.file}`;
    }
    case 'make-key':
      return `make the key ${action.key} for ${action.host}`;
    case 'certify':
      return `obtain a certificate for ${action.key} of ${action.host}`;
    case 'deploy':
      return `let the server of ${action.host} use ${[action.key, ...(action.also ?? [])].join(' and ')}`;
    case 'set-rrset':
      return `set ${action.type} of ${action.name} to ${action.to.join(', ') || 'nothing'}`;
    case 'serve-policy':
      return `serve the policy ${action.id.slice(0, 8)} for ${action.domain}`;
    case 'stop-serving':
      return `stop serving a policy for ${action.domain}`;
  }
}
