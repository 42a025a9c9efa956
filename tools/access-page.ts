import { accessTable, type AccessRule } from '../src/web/access/access-table.js';

const roleNames: Readonly<Record<AccessRule['role'], string>> = {
  anyone: 'everyone',
  viewer: 'viewer',
  operator: 'operator',
  admin: 'admin',
};

/**
 * Returns docs/web-access.md: the access rule of every route of the pages and the API.
 */
export function accessPage(): string {
  const rows = Object.entries(accessTable).map(([route, rule]) => {
    const [method = '', path = ''] = route.split(' ');
    const shown = path.replace(/\{\[0-9\][^}]*\}\}?/, '').replace(/:(\w+)/g, '{$1}');
    const cells = [`${method} \`${shown}\``, roleNames[rule.role], domainsOf(rule)];
    return `| ${[...cells, scopeOf(rule)].join(' | ')} |`;
  });
  return [
    '# Access to the pages and the API',
    '',
    'Generated from `src/web/access/access-table.ts` by `node dist/tools/generated.js`. [web.md](web.md) explains roles, customers',
    'and scopes.',
    '',
    'Each role includes the rights of the roles before it: viewer, operator, admin. Some accounts are confined to customers. A route for',
    'own domains gives them the data of their domains. A route for all domains refuses them. A test calls every route as every role.',
    '',
    '| route | least role | domains | scope of a token |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function domainsOf({ role, reach }: AccessRule): string {
  if (role === 'anyone') return '';
  return reach === 'own' ? 'own' : 'all';
}

function scopeOf({ role, scope }: AccessRule): string {
  if (role === 'anyone') return '';
  return scope === undefined ? 'none: no token' : `\`${scope}\``;
}
