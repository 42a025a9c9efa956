/**
 * The tables of scans, in the schema `hermetic_scan`. `migrations[n]` converts version n
 * to n + 1; a released migration never changes.
 *
 * Facts are stored once: `fact` has one row for each distinct text, and domains, hosts
 * and visits refer to it. Domains of one provider share one row of `fact` unless they
 * have policies of their own. The grade of a domain is a fact as well: `shape_id`.
 *
 * Tables in three groups:
 *
 * - Known facts: `domain`, `host`, `address`, `web_address`, `visit`, `fact`. They
 *   persist after a scan, so that the next scan contacts only servers that may have
 *   changed.
 * - One scan: `scan`, `scan_domain` (a partition for each scan), `scan_host`, `stat`,
 *   `change`.
 * - Coordination: `neighbourhood` (leases), `worker` (heartbeats), `opt_out`.
 *
 * Frequently written tables have no foreign keys: each key would double the cost of a
 * row. Only the statements in this folder write rows.
 */
export const scanMigrations: readonly (readonly string[])[] = [
  [
    `CREATE TABLE hermetic_scan.list (
      id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      name text NOT NULL UNIQUE,
      source text NOT NULL,
      cited_as text NOT NULL,
      digest bytea NOT NULL,
      lines bigint NOT NULL DEFAULT 0,
      refused bigint NOT NULL DEFAULT 0,
      loaded boolean NOT NULL DEFAULT false,
      created_at timestamptz NOT NULL DEFAULT now()
    )`,
    `CREATE TABLE hermetic_scan.list_domain (
      list_id int NOT NULL,
      domain_id int NOT NULL,
      rank int NOT NULL,
      PRIMARY KEY (list_id, domain_id)
    )`,
    `CREATE UNIQUE INDEX list_domain_rank ON hermetic_scan.list_domain (list_id, rank, domain_id)`,
    `CREATE TABLE hermetic_scan.domain (
      id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      name text COLLATE "C" NOT NULL UNIQUE,
      tld text COLLATE "C" NOT NULL,
      fact_id int,
      stands_id int,
      seen_at timestamptz,
      changed_at timestamptz
    ) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02)`,
    `CREATE TABLE hermetic_scan.host (
      id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      name text COLLATE "C" NOT NULL UNIQUE,
      family text COLLATE "C" NOT NULL,
      fact_id int,
      seen_at timestamptz
    ) WITH (fillfactor = 80)`,
    `CREATE TABLE hermetic_scan.domain_host (
      domain_id int NOT NULL,
      host_id int NOT NULL,
      preference int NOT NULL,
      PRIMARY KEY (domain_id, host_id)
    )`,
    `CREATE INDEX domain_host_host ON hermetic_scan.domain_host (host_id)`,
    `CREATE TABLE hermetic_scan.neighbourhood (
      net cidr PRIMARY KEY,
      due_at timestamptz NOT NULL,
      wanted bigint NOT NULL DEFAULT 1,
      lease_no bigint NOT NULL DEFAULT 0,
      lease_by uuid,
      lease_until timestamptz NOT NULL DEFAULT '-infinity',
      contacted boolean NOT NULL DEFAULT false
    ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02)`,
    `CREATE INDEX neighbourhood_due ON hermetic_scan.neighbourhood (due_at)
      WHERE due_at < 'infinity'`,
    `CREATE TABLE hermetic_scan.address (
      id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      ip inet NOT NULL UNIQUE,
      net cidr NOT NULL,
      day date NOT NULL DEFAULT '-infinity',
      spent int NOT NULL DEFAULT 0,
      next_at timestamptz NOT NULL DEFAULT '-infinity',
      standing jsonb,
      rest_reason text
    ) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02)`,
    `CREATE INDEX address_net ON hermetic_scan.address (net)`,
    `CREATE TABLE hermetic_scan.visit (
      address_id int NOT NULL,
      host_id int NOT NULL,
      scan_id int NOT NULL,
      state smallint NOT NULL DEFAULT 0,
      required boolean NOT NULL DEFAULT false,
      reason text,
      fact_id int,
      visited_at timestamptz,
      PRIMARY KEY (address_id, host_id)
    ) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02)`,
    `CREATE INDEX visit_host ON hermetic_scan.visit (host_id)`,
    `CREATE INDEX visit_waiting ON hermetic_scan.visit (address_id, host_id) WHERE state = 0`,
    `CREATE TABLE hermetic_scan.fact (
      id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      digest bytea NOT NULL UNIQUE,
      body jsonb NOT NULL
    )`,
    `CREATE TABLE hermetic_scan.shape (
      id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      digest bytea NOT NULL UNIQUE,
      grade jsonb NOT NULL
    )`,
    `CREATE TABLE hermetic_scan.scan (
      id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      list_id int NOT NULL REFERENCES hermetic_scan.list,
      state text NOT NULL,
      reason text,
      domains bigint NOT NULL DEFAULT 0,
      params jsonb NOT NULL,
      started_at timestamptz NOT NULL DEFAULT now(),
      finished_at timestamptz,
      questions bigint NOT NULL DEFAULT 0,
      connections bigint NOT NULL DEFAULT 0
    )`,
    `CREATE TABLE hermetic_scan.scan_domain (
      scan_id int NOT NULL,
      domain_id int NOT NULL,
      state smallint NOT NULL DEFAULT 0,
      known boolean NOT NULL DEFAULT false,
      lease_no int NOT NULL DEFAULT 0,
      due_at timestamptz NOT NULL DEFAULT '-infinity',
      fact_id int,
      shape_id int,
      PRIMARY KEY (scan_id, domain_id)
    ) PARTITION BY LIST (scan_id)`,
    `CREATE INDEX scan_domain_waiting ON hermetic_scan.scan_domain (state, due_at)
      WHERE state < 2`,
    `CREATE TABLE hermetic_scan.scan_host (
      scan_id int NOT NULL,
      host_id int NOT NULL,
      state smallint NOT NULL DEFAULT 0,
      required boolean NOT NULL DEFAULT false,
      lease_no int NOT NULL DEFAULT 0,
      due_at timestamptz NOT NULL DEFAULT '-infinity',
      PRIMARY KEY (scan_id, host_id)
    ) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02)`,
    `CREATE INDEX scan_host_waiting ON hermetic_scan.scan_host (scan_id, due_at) WHERE state = 0`,
    `CREATE TABLE hermetic_scan.change (
      scan_id int NOT NULL,
      domain_id int NOT NULL,
      kind text NOT NULL,
      was jsonb NOT NULL,
      "is" jsonb NOT NULL,
      at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (scan_id, domain_id, kind)
    )`,
    `CREATE TABLE hermetic_scan.stat (
      scan_id int NOT NULL,
      page text NOT NULL,
      key text NOT NULL,
      counted text NOT NULL,
      n bigint NOT NULL,
      of bigint NOT NULL,
      unknown bigint NOT NULL,
      PRIMARY KEY (scan_id, page, key, counted)
    )`,
    `CREATE TABLE hermetic_scan.worker (
      id uuid PRIMARY KEY,
      pool_id text,
      host text NOT NULL,
      started_at timestamptz NOT NULL DEFAULT now(),
      beat_at timestamptz NOT NULL DEFAULT now(),
      version text NOT NULL,
      in_flight int NOT NULL DEFAULT 0
    )`,
    `CREATE TABLE hermetic_scan.opt_out (
      entry text PRIMARY KEY,
      net cidr,
      name text COLLATE "C",
      added_at timestamptz NOT NULL DEFAULT now()
    )`,
  ],
  [
    // The families of host names at an address, in the scan that visited them last.
    `CREATE TABLE hermetic_scan.family (
      address_id int NOT NULL,
      name text COLLATE "C" NOT NULL,
      scan_id int NOT NULL,
      state jsonb NOT NULL,
      model_fact_id int,
      ready boolean NOT NULL,
      PRIMARY KEY (address_id, name)
    ) WITH (fillfactor = 80)`,
  ],
  [
    // `counted_as` and `digest` name the row of `family_total` that counts equal results.
    // `visited` is the number of families that the row represents at its address.
    `ALTER TABLE hermetic_scan.family
      ADD COLUMN counted_as text COLLATE "C" NOT NULL DEFAULT '',
      ADD COLUMN digest text COLLATE "C" NOT NULL DEFAULT '',
      ADD COLUMN visited int NOT NULL DEFAULT 1`,
    // Results of a family over all addresses of a scan. The row without a digest records
    // the checks of inference, and whether a difference ended inference.
    `CREATE TABLE hermetic_scan.family_total (
      scan_id int NOT NULL,
      name text COLLATE "C" NOT NULL,
      digest text COLLATE "C" NOT NULL,
      equal int NOT NULL DEFAULT 0,
      checked int NOT NULL DEFAULT 0,
      wrong int NOT NULL DEFAULT 0,
      ended boolean NOT NULL DEFAULT false,
      PRIMARY KEY (scan_id, name, digest)
    ) WITH (fillfactor = 80)`,
  ],
  [
    // A lease for each slice of a scan replaces the leases of single domains and hosts.
    // Open scans process their unfinished domains again.
    `CREATE TABLE hermetic_scan.scan_slice (
      scan_id int NOT NULL,
      number int NOT NULL,
      first_id int NOT NULL,
      last_id int NOT NULL,
      stage smallint NOT NULL DEFAULT 0,
      blocked boolean NOT NULL DEFAULT false,
      lease_no int NOT NULL DEFAULT 0,
      due_at timestamptz NOT NULL DEFAULT '-infinity',
      PRIMARY KEY (scan_id, number)
    ) WITH (fillfactor = 70)`,
    `DROP INDEX hermetic_scan.scan_domain_waiting`,
    `ALTER TABLE hermetic_scan.scan_domain DROP COLUMN lease_no, DROP COLUMN due_at`,
    `UPDATE hermetic_scan.scan_domain d SET state = 0 FROM hermetic_scan.scan s
      WHERE s.id = d.scan_id AND s.state IN ('running', 'paused') AND d.state = 1`,
    `INSERT INTO hermetic_scan.scan_slice (scan_id, number, first_id, last_id)
      SELECT scan_id, number, min(domain_id), max(domain_id) FROM (
        SELECT d.scan_id, d.domain_id,
          (row_number() OVER (PARTITION BY d.scan_id ORDER BY d.domain_id) - 1) / 500 AS number
        FROM hermetic_scan.scan_domain d JOIN hermetic_scan.scan s ON s.id = d.scan_id
        WHERE s.state IN ('running', 'paused')) n
      GROUP BY scan_id, number`,
    `DROP INDEX hermetic_scan.scan_host_waiting`,
    `ALTER TABLE hermetic_scan.scan_host DROP COLUMN state, DROP COLUMN lease_no,
      DROP COLUMN due_at, ADD COLUMN slice int NOT NULL DEFAULT 0`,
    `CREATE INDEX scan_host_slice ON hermetic_scan.scan_host (scan_id, slice)`,
    // Statements store and return facts as a whole; PostgreSQL would parse and print
    // jsonb each time.
    `ALTER TABLE hermetic_scan.fact ALTER COLUMN body TYPE json`,
    `DO $$ BEGIN
      IF EXISTS (SELECT FROM pg_settings
        WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals))
      THEN ALTER TABLE hermetic_scan.fact ALTER COLUMN body SET COMPRESSION lz4;
      END IF;
    END $$`,
    // Rows that one statement updates together need room for a second version on their page:
    // otherwise each update adds an entry to every index.
    `ALTER TABLE hermetic_scan.domain SET (fillfactor = 50)`,
    `ALTER TABLE hermetic_scan.host SET (fillfactor = 50)`,
    // The next visit of an address, in the order of the visits.
    `DROP INDEX hermetic_scan.visit_waiting`,
    `CREATE INDEX visit_waiting ON hermetic_scan.visit (address_id, required DESC, host_id)
      WHERE state = 0`,
  ],
  [
    // An expiring certificate makes a visit due before the usual interval.
    `ALTER TABLE hermetic_scan.visit ADD COLUMN valid_until timestamptz`,
    // The interval between scans of the list; without an interval, only the operator
    // starts scans.
    `ALTER TABLE hermetic_scan.list ADD COLUMN rescan_ms bigint`,
  ],
  [
    // Each index costs as much as the row. No statement searches for the domains of a
    // host, and the key of a visit begins with the host, so only the waiting visits of an
    // address have an index.
    `DROP INDEX hermetic_scan.domain_host_host`,
    `DROP INDEX hermetic_scan.visit_host`,
    `ALTER TABLE hermetic_scan.visit DROP CONSTRAINT visit_pkey,
      ADD PRIMARY KEY (host_id, address_id)`,
    // If an update stays on the page of its row, the next update reuses the space without
    // VACUUM.
    ...['domain', 'visit'].flatMap((table) => [
      `ALTER TABLE hermetic_scan.${table} RESET (autovacuum_vacuum_scale_factor)`,
      `ALTER TABLE hermetic_scan.${table} SET (autovacuum_analyze_scale_factor = 0.5)`,
    ]),
    `ALTER TABLE hermetic_scan.domain_host SET (autovacuum_analyze_scale_factor = 0.5,
      autovacuum_vacuum_insert_scale_factor = 0.5)`,
    `ALTER TABLE hermetic_scan.scan_host RESET (autovacuum_vacuum_scale_factor)`,
    `ALTER TABLE hermetic_scan.fact SET (autovacuum_vacuum_insert_scale_factor = 1,
      autovacuum_analyze_scale_factor = 1)`,
    // Statements read facts only by number or digest.
    `ALTER TABLE hermetic_scan.fact ALTER COLUMN digest SET STATISTICS 0,
      ALTER COLUMN body SET STATISTICS 0`,
  ],
  [
    // `reserved`: connections of the present contact, which `spent` includes. `given_up`:
    // identifier of the scan that abandoned the address after the last permitted pause.
    `ALTER TABLE hermetic_scan.address
      ADD COLUMN reserved int NOT NULL DEFAULT 0,
      ADD COLUMN given_up int`,
    // Addresses of policy hosts. `next_at` is in the future while a worker visits the
    // address.
    `CREATE TABLE hermetic_scan.web_address (
      ip inet PRIMARY KEY,
      net cidr NOT NULL,
      day date NOT NULL DEFAULT '-infinity',
      spent int NOT NULL DEFAULT 0,
      reserved int NOT NULL DEFAULT 0,
      next_at timestamptz NOT NULL DEFAULT '-infinity',
      standing jsonb,
      rest_reason text,
      given_up int
    ) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02)`,
  ],
  [
    // A row for each pair of domain and host cost as much as the row of the domain. The
    // hosts are in the row of the domain in the scan, in the order of preference.
    `ALTER TABLE hermetic_scan.scan_domain ADD COLUMN host_ids int[] NOT NULL DEFAULT '{}'`,
    `UPDATE hermetic_scan.scan_domain s SET host_ids = l.host_ids FROM (
        SELECT l.domain_id, array_agg(l.host_id ORDER BY l.preference, h.name) AS host_ids
        FROM hermetic_scan.domain_host l JOIN hermetic_scan.host h ON h.id = l.host_id
        GROUP BY l.domain_id) l
      WHERE l.domain_id = s.domain_id AND s.known`,
    `DROP TABLE hermetic_scan.domain_host`,
    // A domain gets its row in a scan when it is observed, and its shape when it is
    // graded.
    `DELETE FROM hermetic_scan.scan_domain WHERE state = 0`,
    `ALTER TABLE hermetic_scan.scan_domain DROP COLUMN state, ALTER COLUMN known DROP DEFAULT`,
    // A grade is a fact too: a worker finds its row in memory.
    `INSERT INTO hermetic_scan.fact (digest, body)
      SELECT digest, grade::text::json FROM hermetic_scan.shape ON CONFLICT (digest) DO NOTHING`,
    `UPDATE hermetic_scan.scan_domain s SET shape_id = f.id
      FROM hermetic_scan.shape h JOIN hermetic_scan.fact f USING (digest)
      WHERE h.id = s.shape_id`,
    `DROP TABLE hermetic_scan.shape`,
    // Pruning deletes facts that no row refers to, but only after workers have dropped
    // them from memory.
    `ALTER TABLE hermetic_scan.fact ADD COLUMN unused_since timestamptz`,
    // The first facts of a domain or host are longer than its empty row.
    `ALTER TABLE hermetic_scan.domain SET (fillfactor = 35)`,
    `ALTER TABLE hermetic_scan.host SET (fillfactor = 35)`,
  ],
];
