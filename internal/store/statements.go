package store

import (
	"context"
	"database/sql"
)

// statement names one of the SQL texts below. They are written in what SQLite
// and PostgreSQL have in common.
type statement int

const (
	getDocument statement = iota
	getHeader
	getOwner
	lookupDocument
	listFrom
	listBetween
	listKeyFrom
	listKeyBetween
	putDocument
	deleteDocument
	deleteUniqueKeys
	deleteSecondaryKeys
	insertUniqueKey
	insertSecondaryKey
	getHead
	advanceHead
	putChange
	listChanges
	statementCount
)

const (
	documentColumns = `SELECT d.tenant, d.kind, d.id, d.etag, d.labels, d.body FROM `
	keyedDocuments  = documentColumns + `secondary_key k JOIN document d ON d.kind = k.kind AND d.key = k.key
		WHERE k.kind = $1 AND k.name = $2 AND k.value = $3 AND k.key >= $4 `
	changeColumns = `SELECT seq, tenant, kind, id, deleted FROM change WHERE seq > $1 `
)

// Limits are casts: SQLite compiles a statement anew for every value that a bare
// parameter of LIMIT is bound to.
var statementText = [statementCount]string{
	getDocument: documentColumns + `document d WHERE d.kind = $1 AND d.key = $2`,
	getHeader:   `SELECT etag, labels FROM document WHERE kind = $1 AND key = $2`,
	getOwner:    `SELECT key FROM unique_key WHERE kind = $1 AND name = $2 AND value = $3`,
	lookupDocument: documentColumns + `unique_key u JOIN document d ON d.kind = u.kind AND d.key = u.key
		WHERE u.kind = $1 AND u.name = $2 AND u.value = $3`,

	listFrom:       documentColumns + `document d WHERE d.kind = $1 AND d.key >= $2 ORDER BY d.key LIMIT CAST($3 AS BIGINT)`,
	listBetween:    documentColumns + `document d WHERE d.kind = $1 AND d.key >= $2 AND d.key < $4 ORDER BY d.key LIMIT CAST($3 AS BIGINT)`,
	listKeyFrom:    keyedDocuments + `ORDER BY k.key LIMIT CAST($5 AS BIGINT)`,
	listKeyBetween: keyedDocuments + `AND k.key < $6 ORDER BY k.key LIMIT CAST($5 AS BIGINT)`,

	putDocument: `INSERT INTO document (kind, key, tenant, id, etag, labels, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (kind, key) DO UPDATE SET tenant = excluded.tenant, id = excluded.id,
			etag = excluded.etag, labels = excluded.labels, body = excluded.body`,
	deleteDocument:      `DELETE FROM document WHERE kind = $1 AND key = $2 RETURNING tenant, id`,
	deleteUniqueKeys:    `DELETE FROM unique_key WHERE kind = $1 AND key = $2`,
	deleteSecondaryKeys: `DELETE FROM secondary_key WHERE kind = $1 AND key = $2`,
	insertUniqueKey: `INSERT INTO unique_key (kind, name, value, key)
		VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
	insertSecondaryKey: `INSERT INTO secondary_key (kind, name, value, key)
		VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,

	getHead:     `SELECT head FROM feed`,
	advanceHead: `UPDATE feed SET head = head + $1 RETURNING head`,
	putChange: `INSERT INTO change (seq, tenant, kind, key, id, deleted) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (kind, key) DO UPDATE SET seq = excluded.seq, tenant = excluded.tenant,
			id = excluded.id, deleted = excluded.deleted`,
	listChanges: changeColumns + `ORDER BY seq LIMIT CAST($2 AS BIGINT)`,
}

// pool is a database handle with every statement prepared. Preparing them
// later would need a second connection while a transaction holds the first.
type pool struct {
	*sql.DB
	prepared [statementCount]*sql.Stmt
}

func prepare(ctx context.Context, db *sql.DB) (*pool, error) {
	p := &pool{DB: db}
	for i, text := range statementText {
		stmt, err := db.PrepareContext(ctx, text)
		if err != nil {
			return nil, err
		}
		p.prepared[i] = stmt
	}
	return p, nil
}
