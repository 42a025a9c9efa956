export type {
  Endpoint,
  Conn,
  DialRequest,
  DialResult,
  ExchangeRequest,
  ExchangeResult,
  Network,
  NetFailure,
  NetFailureCode,
} from './types.js';
