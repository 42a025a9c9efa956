import type { Certificate } from './types.js';

/**
 * The domain names by which CAs recognise their CAA properties, listed by the
 * organization in the issuer name of their certificates. Source: the CCADB report
 * AllCAAIdentifiersReport of 2025-06-27 with the practice statements of 2025-07 (section
 * 4.2: Amazon 2.0, DigiCert 7.06, ISRG 5.9, Sectigo 6.1.1), read through a public list.
 * The list was compared on 2026-11-30 with the report of 2026-09-22 for Actalis,
 * DigiCert, Google, Let's Encrypt, Sectigo, SSL.com and ZeroSSL, and has all names of
 * that report. Names that occur only in earlier statements stay in the list: without
 * them, the check would report a valid record as a fault. A CA that is not listed is
 * unknown, and its records are not judged. Records to publish do not use this list: their
 * name comes from the directory of the CA (RFC 8555 §9.7.6).
 */
const identifiers: Readonly<Record<string, readonly string[]>> = {
  'AC CAMERFIRMA S.A.': ['camerfirma.com'],
  ACCV: ['accv.es'],
  'Actalis S.p.A.': ['actalis.it'],
  AffirmTrust: ['affirmtrust.com'],
  Amazon: amazon(),
  'Amazon Trust Services': amazon(),
  'Apple Inc.': ['pki.apple.com'],
  'Asseco Data Systems S.A.': ['certum.pl', 'certum.eu'],
  'Buypass AS-983163327': ['buypass.com', 'buypass.no'],
  'CERTSIGN SA': ['certsign.ro'],
  'COMODO CA Limited': sectigo(),
  Certainly: ['certainly.com'],
  Certigna: ['certigna.fr', 'certigna.com'],
  'Cloudflare, Inc.': digicert(),
  'Cybertrust Japan Co., Ltd.': ['cybertrust.co.jp', 'cybertrust.ne.jp'],
  'D-Trust GmbH': ['d-trust.net', 'd-trust.de', 'dtrust.de'],
  'Deutsche Telekom Security GmbH': ['telesec.de', 'pki.dfn.de', 'dfn.de'],
  'DigiCert Inc': digicert(),
  'DigiCert Ireland Limited': digicert(),
  'DigiCert, Inc.': digicert(),
  'Entrust Corporation': ['entrust.net'],
  'Entrust Limited': ['entrust.net'],
  'Entrust, Inc.': ['entrust.net'],
  'GEANT Vereniging': sectigo(),
  Gandi: sectigo(),
  'Gandi SAS': sectigo(),
  'GeoTrust Inc.': digicert(),
  'GlobalSign nv-sa': ['globalsign.com'],
  'GoDaddy.com, Inc.': ['godaddy.com', 'starfieldtech.com'],
  'Google Trust Services': ['pki.goog', 'google.com'],
  'Google Trust Services LLC': ['pki.goog', 'google.com'],
  'Hellenic Academic and Research Institutions CA': ['harica.gr'],
  IdenTrust: ['identrust.com'],
  'IdenTrust, Inc.': ['identrust.com'],
  'InCommon, LLC': sectigo(),
  'Internet Security Research Group': ['letsencrypt.org'],
  Internet2: sectigo(),
  "Let's Encrypt": ['letsencrypt.org'],
  'Microsec Ltd.': ['e-szigno.hu'],
  'Microsoft Corporation': ['microsoft.com', 'digicert.com'],
  'NETLOCK Kft.': ['netlock.hu', 'netlock.net', 'netlock.eu', 'netlock.com'],
  'Network Solutions L.L.C.': ['netsolssl.com', ...sectigo()],
  'QuoVadis Limited': digicert(),
  'QuoVadis Trustlink B.V.': ['www.pkioverheid.nl', ...digicert()],
  'SECOM Trust Systems CO.,LTD.': ['secomtrust.net'],
  'SSL Corp': sslCom(),
  'SSL Corporation': sslCom(),
  'Sectigo Limited': sectigo(),
  'Starfield Technologies, Inc.': ['starfieldtech.com', 'godaddy.com', 'amazon.com'],
  'SwissSign AG': ['swisssign.com', 'swisssign.net'],
  'T-Systems International GmbH': ['telesec.de', 'pki.dfn.de', 'dfn.de'],
  'TAIWAN-CA': ['twca.com.tw'],
  'Telia Company AB': ['telia.com'],
  'Telia Finland Oyj': ['telia.com'],
  'The USERTRUST Network': sectigo(),
  'TrustAsia Technologies, Inc.': ['trustasia.com'],
  'Trustwave Holdings, Inc.': ['trustwave.com', 'securetrust.com', 'vikingcloud.com'],
  ZeroSSL: ['zerossl.com', ...sectigo()],
  'cPanel, Inc.': sectigo(),
  'cPanel, LLC': sectigo(),
  certSIGN: ['certsign.ro'],
  'eMudhra Technologies Limited': ['emsign.com'],
  'thawte, Inc.': digicert(),
};

function amazon(): readonly string[] {
  return ['amazon.com', 'amazontrust.com', 'awstrust.com', 'amazonaws.com', 'aws.amazon.com'];
}

/** Returns the identifiers that all brands of DigiCert share. */
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
    'digitalcertvalidation.com',
    'volusion.digitalcertvalidation.com',
    'stratossl.digitalcertvalidation.com',
    'intermediatecertificate.digitalcertvalidation.com',
    '1and1.digitalcertvalidation.com',
    'quovadisglobal.com',
    'pkioverheid.nl',
    ...amazon(),
  ];
}

/**
 * Returns the identifiers of Sectigo, which resellers with their own intermediate CA use
 * too.
 */
function sectigo(): readonly string[] {
  return [
    'sectigo.com',
    'comodo.com',
    'comodoca.com',
    'usertrust.com',
    'trust-provider.com',
    'entrust.net',
    'affirmtrust.com',
  ];
}

/**
 * Returns the identifiers of SSL.com, which also issues for former customers of Entrust.
 */
function sslCom(): readonly string[] {
  return ['ssl.com', 'entrust.net', 'affirmtrust.com'];
}

/**
 * Returns the CAA domain names of the CA that issued a certificate, by the organization
 * of the issuer. Undefined for a CA that is not listed.
 */
export function caaIssuersOf({ issuerName }: Certificate): readonly string[] | undefined {
  const { organization } = issuerName;
  if (organization === undefined) return undefined;
  return Object.hasOwn(identifiers, organization) ? identifiers[organization] : undefined;
}
