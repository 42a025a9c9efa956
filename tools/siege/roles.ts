import { bombs, foreign, forged, heavy, idle, slow } from './attackers.js';
import { health, socketmap } from './defenders.js';
import type { Plan, RoleReport } from './plan.js';

type Role = (plan: Plan) => Promise<RoleReport>;

/** Clients that measure the response times. */
export const observers: Readonly<Record<string, Role>> = { socketmap, health };
export const attackers: Readonly<Record<string, Role>> = {
  idle,
  slow,
  heavy,
  bombs,
  forged,
  foreign,
};
