import type { Certificate } from './types.js';

/**
 * The domain names by which CAs recognise their CAA properties, by the organization in the
 * issuer name of their certificates. Source: section 4.2 of the certification practice
 * statements, as collected in the CCADB; state of 2026-11. A CA that is not listed is
 * unknown: nothing is claimed about it.
 */
const identifiers: Readonly<Record<string, readonly string[]>> = {
  "Let's Encrypt": ['letsencrypt.org'],
  'Google Trust Services': ['pki.goog', 'google.com'],
  'Google Trust Services LLC': ['pki.goog', 'google.com'],
  'DigiCert Inc': digicert(),
  'DigiCert, Inc.': digicert(),
  'DigiCert Ireland Limited': digicert(),
  'GeoTrust Inc.': digicert(),
  'thawte, Inc.': digicert(),
  'Cloudflare, Inc.': digicert(),
  'QuoVadis Limited': ['quovadisglobal.com', ...digicert()],
  'QuoVadis Trustlink B.V.': ['quovadisglobal.com', ...digicert()],
  'Sectigo Limited': sectigo(),
  'COMODO CA Limited': sectigo(),
  'The USERTRUST Network': sectigo(),
  ZeroSSL: ['zerossl.com', ...sectigo()],
  'cPanel, Inc.': sectigo(),
  'cPanel, LLC': sectigo(),
  Gandi: sectigo(),
  'Gandi SAS': sectigo(),
  'Network Solutions L.L.C.': sectigo(),
  'GEANT Vereniging': sectigo(),
  Internet2: sectigo(),
  'InCommon, LLC': sectigo(),
  'GlobalSign nv-sa': ['globalsign.com'],
  Amazon: ['amazon.com', 'amazontrust.com', 'awstrust.com', 'amazonaws.com'],
  'Buypass AS-983163327': ['buypass.com', 'buypass.no'],
  'GoDaddy.com, Inc.': ['godaddy.com', 'starfieldtech.com'],
  'Starfield Technologies, Inc.': ['starfieldtech.com', 'godaddy.com'],
  'SSL Corporation': ['ssl.com'],
  'SSL Corp': ['ssl.com'],
  'Actalis S.p.A.': ['actalis.it'],
  'Hellenic Academic and Research Institutions CA': ['harica.gr'],
  'Asseco Data Systems S.A.': ['certum.pl', 'certum.eu'],
  'D-Trust GmbH': ['d-trust.net', 'd-trust.de', 'dtrust.de'],
  'Deutsche Telekom Security GmbH': ['telesec.de'],
  'T-Systems International GmbH': ['telesec.de'],
  'SwissSign AG': ['swisssign.com', 'swisssign.net'],
  'Microsoft Corporation': ['microsoft.com'],
  'Apple Inc.': ['pki.apple.com'],
  IdenTrust: ['identrust.com'],
};

/** The brands of DigiCert share their identifiers. */
function digicert(): readonly string[] {
  return [
    'digicert.com',
    'www.digicert.com',
    'digicert.ne.jp',
    'cybertrust.ne.jp',
    'symantec.com',
    'thawte.com',
    'geotrust.com',
    'rapidssl.com',
  ];
}

/** Resellers with a separate intermediate use the identifiers of Sectigo. */
function sectigo(): readonly string[] {
  return [
    'sectigo.com',
    'comodo.com',
    'comodoca.com',
    'usertrust.com',
    'trust-provider.com',
    'entrust.net',
  ];
}

/**
 * The CAA domain names of the CA that issued a certificate, by the organization of the
 * issuer. Undefined for a CA that is not listed.
 */
export function caaIssuersOf({ issuerName }: Certificate): readonly string[] | undefined {
  const { organization } = issuerName;
  if (organization === undefined) return undefined;
  return Object.hasOwn(identifiers, organization) ? identifiers[organization] : undefined;
}
