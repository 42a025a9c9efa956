/**
 * The lab: a signed DNS tree, mail servers, policy hosts and attackers in one process.
 */
export {
  allScenarios,
  createLab,
  type Exposed,
  type Lab,
  type LabOptions,
  type ReceivedMail,
  type Scenario,
} from '../lab/index.js';
