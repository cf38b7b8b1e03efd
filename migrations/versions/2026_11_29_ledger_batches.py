"""Many entries in one call cost as much each as one by itself.

A call wrote each balance anew after each of its entries. Until the end of a transaction PostgreSQL
keeps every version of a row and steps over all of them at each look: a file of n rows took time in
n squared. Now the lines of all entries are stored by one statement, and each balance is written
once; what a balance is on the way from one entry to the next is worked out beside it.
"""

from __future__ import annotations

from alembic import op

revision = "ledger_batches"
down_revision = "baselines"
branch_labels = None
depends_on = None

COVERED = """
CREATE FUNCTION must_be_covered(p_kind text) RETURNS boolean LANGUAGE sql IMMUTABLE
RETURN p_kind IN ('CASH', 'UNSETTLED', 'RESERVED', 'RECEIVABLE', 'POSITION')
"""

DRAW = """
CREATE FUNCTION draw_lines(p_lines jsonb, p_draws boolean, p_waiting jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = public, pg_temp AS $$
BEGIN
    RETURN (
        WITH line AS (
            SELECT l->>0 AS kind, l->>1 AS commodity, (l->>2)::numeric AS amount,
                   (l->>2)::numeric < 0
                   AND (l->>0 = 'UNSETTLED' OR (p_draws AND l->>0 = 'CASH')) AS spends
            FROM jsonb_array_elements(p_lines) l
        ), spent AS (  -- money not settled yet pays first, cash the rest
            SELECT commodity, amount,
                   greatest(amount, -greatest((p_waiting->>commodity)::numeric, 0)) AS drawn
            FROM line WHERE spends
        ), moved AS (
            SELECT kind, commodity, amount FROM line WHERE NOT spends
            UNION ALL SELECT 'UNSETTLED', commodity, drawn FROM spent
            UNION ALL SELECT 'CASH', commodity, amount - drawn FROM spent
        ), total AS (
            SELECT kind, commodity, sum(amount) AS amount FROM moved
            GROUP BY kind, commodity HAVING sum(amount) <> 0
        )
        SELECT coalesce(jsonb_agg(jsonb_build_array(kind, commodity, amount)), '[]') FROM total
    );
END $$
"""

STORE = """
CREATE FUNCTION store_postings(p_portfolio bigint, p_txns bigint[], p_lines jsonb[])
RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO posting (txn_id, portfolio_id, account_id, commodity, amount)
    SELECT t.id, p_portfolio, a.id, l->>1, (l->>2)::numeric
    FROM unnest(p_txns, p_lines) AS t (id, lines)
    CROSS JOIN jsonb_array_elements(t.lines) l
    JOIN account a ON a.portfolio_id = p_portfolio AND a.kind = l->>0 AND a.commodity = l->>1
    ORDER BY t.id, a.id;
END $$
"""

UNCOVERED = """
CREATE FUNCTION first_uncovered(p_portfolio bigint, p_lines jsonb[]) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
BEGIN
    -- the number of the entry after which a balance would be below zero
    RETURN (
        SELECT min(n) FROM (
            SELECT n, a.balance + sum((l->>2)::numeric) OVER (PARTITION BY a.id ORDER BY n) AS level
            FROM unnest(p_lines) WITH ORDINALITY AS t (lines, n)
            CROSS JOIN jsonb_array_elements(t.lines) l
            JOIN account a ON a.portfolio_id = p_portfolio AND a.kind = l->>0
                          AND a.commodity = l->>1
            WHERE a."strict" AND must_be_covered(a.kind)
        ) AS path WHERE level < 0
    );
END $$
"""

REFUSAL = """
CREATE FUNCTION explain_refusal(p_portfolio bigint, p_lines jsonb, p_draws boolean,
    p_before jsonb[]) RETURNS jsonb LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    WITH need AS (
        SELECT CASE WHEN l->>0 = 'UNSETTLED' THEN 'CASH' ELSE l->>0 END AS kind,
               l->>1 AS commodity, -sum((l->>2)::numeric) AS amount
        FROM jsonb_array_elements(p_lines) l WHERE must_be_covered(l->>0) GROUP BY 1, 2
    ), held AS (
        SELECT kind, commodity, balance AS amount FROM account WHERE portfolio_id = p_portfolio
        UNION ALL SELECT l->>0, l->>1, (l->>2)::numeric
        FROM unnest(p_before) AS lines CROSS JOIN jsonb_array_elements(lines) l
    ), have AS (
        SELECT CASE WHEN kind = 'UNSETTLED' THEN 'CASH' ELSE kind END AS kind, commodity,
               sum(amount) AS amount
        FROM held WHERE kind <> 'UNSETTLED' OR p_draws GROUP BY 1, 2
    )
    SELECT jsonb_build_object('outcome', 'REFUSED', 'account', need.kind,
        'commodity', need.commodity, 'need', need.amount::text,
        'have', coalesce(have.amount, 0)::text)
    FROM need LEFT JOIN have USING (kind, commodity)
    ORDER BY need.amount > coalesce(have.amount, 0) DESC, need.kind, need.commodity LIMIT 1
$$
"""

POST = """
CREATE OR REPLACE FUNCTION post_entries(p_portfolio bigint, p_user bigint, p_at timestamptz,
    p_today jsonb, p_items jsonb) RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    item jsonb;
    made bigint;
    stored txn;
    draws boolean;
    lines jsonb;
    waiting jsonb;  -- the unsettled money of each currency, after the items so far
    ids bigint[] := '{}';
    fresh bigint[] := '{}';
    moved jsonb[] := '{}';  -- the lines of each that is fresh
    drawing boolean[] := '{}';
    wrong bigint := 1;
    broken text;
BEGIN
    PERFORM FROM portfolio WHERE id = p_portfolio AND (p_user IS NULL OR user_id = p_user);
    IF NOT FOUND THEN
        RETURN jsonb_build_object('outcome', 'MISSING');
    END IF;
    BEGIN
        PERFORM hold_accounts(p_portfolio, p_items);
        waiting := (SELECT coalesce(jsonb_object_agg(commodity, balance), '{}') FROM account
                    WHERE portfolio_id = p_portfolio AND kind = 'UNSETTLED');
        FOR item IN SELECT * FROM jsonb_array_elements(p_items) LOOP
            made := store_txn(p_portfolio, p_at, item);
            IF made IS NULL THEN
                SELECT * INTO stored FROM txn
                WHERE portfolio_id = p_portfolio AND idem_key = item->>'key';
                IF NOT FOUND THEN
                    RAISE EXCEPTION USING ERRCODE = 'LS002', MESSAGE = item->>'key';
                ELSIF stored.req_hash <> decode(item->>'hash', 'hex') THEN
                    RAISE EXCEPTION USING ERRCODE = 'LS001', MESSAGE = item->>'key';
                END IF;
                ids := ids || stored.id;
                CONTINUE;
            END IF;
            draws := coalesce((item->>'draws')::boolean, false);
            lines := coalesce(item->'lines',
                              reversed_lines(p_portfolio, (item->>'reverses')::bigint, p_today));
            lines := draw_lines(lines, draws, waiting);
            waiting := waiting || (
                SELECT coalesce(jsonb_object_agg(l->>1,
                    coalesce((waiting->>(l->>1))::numeric, 0) + (l->>2)::numeric), '{}')
                FROM jsonb_array_elements(lines) l WHERE l->>0 = 'UNSETTLED');
            ids := ids || made;
            fresh := fresh || made;
            moved := moved || lines;
            drawing := drawing || draws;
        END LOOP;
        IF cardinality(fresh) > 1 THEN  -- of one by itself the table's CHECK says it
            wrong := first_uncovered(p_portfolio, moved);
            IF wrong IS NOT NULL THEN
                RAISE EXCEPTION USING ERRCODE = 'check_violation',
                    CONSTRAINT = 'ck_account_covered';
            END IF;
        END IF;
        PERFORM store_postings(p_portfolio, fresh, moved);
        IF cardinality(fresh) > 0 THEN
            PERFORM FROM portfolio WHERE id = p_portfolio AND archived_at IS NOT NULL;
            IF FOUND THEN
                RAISE EXCEPTION USING ERRCODE = 'LS003', MESSAGE = 'archived';
            END IF;
        END IF;
    EXCEPTION
        WHEN check_violation THEN
            GET STACKED DIAGNOSTICS broken = CONSTRAINT_NAME;
            IF broken <> 'ck_account_covered' THEN
                RAISE;
            END IF;
            RETURN explain_refusal(p_portfolio, moved[wrong], drawing[wrong], moved[1:wrong - 1]);
        WHEN unique_violation THEN
            GET STACKED DIAGNOSTICS broken = CONSTRAINT_NAME;
            IF broken <> 'uq_txn_reverses' THEN
                RAISE;
            END IF;
            RETURN jsonb_build_object('outcome', 'REVERSED');
        WHEN SQLSTATE 'LS001' THEN
            RETURN jsonb_build_object('outcome', 'CONFLICT', 'key', SQLERRM);
        WHEN SQLSTATE 'LS002' THEN
            RETURN jsonb_build_object('outcome', 'UNKNOWN', 'key', SQLERRM);
        WHEN SQLSTATE 'LS003' THEN
            RETURN jsonb_build_object('outcome', 'ARCHIVED');
    END;
    RETURN jsonb_build_object(
        'outcome', CASE cardinality(fresh) WHEN 0 THEN 'REPLAY' ELSE 'NEW' END,
        'ids', to_jsonb(ids), 'fresh', cardinality(fresh));
END $$
"""

SETTLE = """
CREATE OR REPLACE FUNCTION settle_money(p_portfolio bigint, p_currency text, p_today date,
    p_at timestamptz) RETURNS numeric LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    due jsonb;
    made bigint;
BEGIN
    PERFORM FROM account WHERE portfolio_id = p_portfolio AND commodity = p_currency
        ORDER BY id FOR NO KEY UPDATE;
    -- what is due by now, less what purchases that settle later have drawn on it
    WITH by_day AS (
        SELECT a.kind, greatest(t.settles_on, p_today) AS day, sum(p.amount) AS amount
        FROM account a JOIN posting p ON p.account_id = a.id JOIN txn t ON t.id = p.txn_id
        WHERE a.portfolio_id = p_portfolio AND a.commodity = p_currency
          AND a.kind IN ('UNSETTLED', 'RECEIVABLE') AND a.balance > 0
        GROUP BY a.kind, 2
    ), path AS (
        SELECT kind, day, sum(amount) OVER (PARTITION BY kind ORDER BY day) AS level FROM by_day
    ), free AS (
        SELECT kind, CASE WHEN bool_or(day = p_today) THEN min(level) ELSE 0 END AS amount
        FROM path GROUP BY kind
    ), line AS (
        SELECT kind, -amount AS amount FROM free WHERE amount > 0
        UNION ALL SELECT 'CASH', sum(amount) FROM free WHERE amount > 0 HAVING sum(amount) > 0
    )
    SELECT jsonb_agg(jsonb_build_array(kind, p_currency, amount)) INTO due FROM line;
    IF due IS NULL THEN
        RETURN 0;
    END IF;
    INSERT INTO account (portfolio_id, kind, commodity) VALUES (p_portfolio, 'CASH', p_currency)
        ON CONFLICT DO NOTHING;
    INSERT INTO txn (portfolio_id, idem_key, req_hash, kind, day, settles_on, created_at)
    VALUES (p_portfolio,
            format(':settlement:%s:%s', p_currency, pg_current_xact_id()),
            sha256(convert_to(due::text, 'UTF8')), 'SETTLEMENT', p_today, p_today, p_at)
    RETURNING id INTO made;
    PERFORM store_postings(p_portfolio, ARRAY[made], ARRAY[due]);
    RETURN (SELECT sum((line->>2)::numeric) FROM jsonb_array_elements(due) line
            WHERE line->>0 = 'CASH');
END $$
"""

OLD = (
    "store_postings(bigint, bigint, jsonb, boolean)",
    "explain_refusal(bigint, jsonb, boolean)",
)
OURS = (
    "must_be_covered(text)",
    "draw_lines(jsonb, boolean, jsonb)",
    "store_postings(bigint, bigint[], jsonb[])",
    "first_uncovered(bigint, jsonb[])",
    "explain_refusal(bigint, jsonb, boolean, jsonb[])",
)


def upgrade() -> None:
    """Forward."""
    for source in (COVERED, DRAW, STORE, UNCOVERED, REFUSAL, POST, SETTLE):
        op.execute(source)
    for signature in OLD:
        op.execute(f"DROP FUNCTION {signature}")
    for signature in OURS:
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
