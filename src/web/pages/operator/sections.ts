import { accessTable } from '../../access/access-table.js';
import { includesRole, type Actor } from '../../roles.js';

const sections = [
  ['/o', 'Domains'],
  ['/o/alerts', 'Alerts'],
  ['/o/customers', 'Customers'],
  ['/o/reporters', 'Reporters'],
  ['/o/reports', 'Reports'],
  ['/o/sending', 'Sending'],
  ['/o/settings', 'Settings'],
  ['/o/sessions', 'Sessions'],
  ['/o/tokens', 'Tokens'],
  ['/o/users', 'Users'],
  ['/o/audit', 'Audit log'],
] as const;

/** Returns the paths and names of the operator pages that an account may open. */
export function sectionsOf(actor: Actor): readonly (readonly [path: string, name: string])[] {
  return sections.filter(([path]) => {
    const rule = accessTable[`GET ${path}`];
    if (!rule || rule.role === 'anyone') return false;
    return includesRole(actor.role, rule.role) && (rule.reach === 'own' || actor.reach.isWhole);
  });
}
