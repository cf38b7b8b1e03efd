"""The ledger's functions: post entries in one round trip, settle, delete a portfolio of practice.

They run as the owner of the tables and check for themselves whose portfolio it is. `p_user` is the
person, NULL the installation itself; `p_today` the present day of each currency's market.
"""

from __future__ import annotations

from alembic import context, op

revision = "ledger_posting"
down_revision = "ledger_rules"
branch_labels = None
depends_on = None

HOLD = """
CREATE FUNCTION hold_accounts(p_portfolio bigint, p_items jsonb) RETURNS void LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE
    wanted jsonb;
BEGIN
    WITH line AS (
        SELECT l->>0 AS kind, l->>1 AS commodity
        FROM jsonb_array_elements(p_items) i, jsonb_array_elements(i->'lines') l
        UNION
        SELECT a.kind, a.commodity FROM jsonb_array_elements(p_items) i
        JOIN posting p ON p.txn_id = (i->>'reverses')::bigint AND p.portfolio_id = p_portfolio
        JOIN account a ON a.id = p.account_id
    ), account_of AS (
        SELECT kind, commodity FROM line
        UNION
        SELECT own, commodity FROM line, unnest('{CASH,UNSETTLED}'::text[]) AS own
        WHERE commodity NOT LIKE 'share:%'
    )
    SELECT jsonb_agg(jsonb_build_array(kind, commodity) ORDER BY kind, commodity)
    INTO wanted FROM account_of;
    -- before any lock, and in one order: who waits here for another's new account holds none
    INSERT INTO account (portfolio_id, kind, commodity)
    SELECT p_portfolio, w->>0, w->>1 FROM jsonb_array_elements(wanted) WITH ORDINALITY AS t(w, n)
    WHERE NOT EXISTS (SELECT FROM account a WHERE a.portfolio_id = p_portfolio
                      AND a.kind = w->>0 AND a.commodity = w->>1)
    ORDER BY n ON CONFLICT DO NOTHING;
    PERFORM FROM account
    WHERE portfolio_id = p_portfolio
      AND commodity IN (SELECT w->>1 FROM jsonb_array_elements(wanted) w)
    ORDER BY id FOR NO KEY UPDATE;
END $$;
"""

STORE = """
CREATE FUNCTION store_txn(p_portfolio bigint, p_at timestamptz, p_item jsonb) RETURNS bigint
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    made bigint;
    e txn := jsonb_populate_record(NULL::txn, p_item->'entry');
BEGIN
    IF p_item ? 'reverses' THEN
        SELECT * INTO e FROM txn
        WHERE id = (p_item->>'reverses')::bigint AND portfolio_id = p_portfolio
          AND reverses IS NULL
          AND (kind = 'RESERVATION') = coalesce((p_item->>'release')::boolean, false)
          AND kind <> 'SETTLEMENT';
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
        e.reverses := e.id;
    END IF;
    INSERT INTO txn (portfolio_id, idem_key, req_hash, kind, day, settles_on, currency, amount,
        symbol, quantity, price, fee, tax, currency_to, amount_to, rate, spread, source,
        numerator, denominator, action, symbol_to, quantity_to, cost_share, reverses, created_at)
    VALUES (p_portfolio, p_item->>'key', decode(p_item->>'hash', 'hex'), e.kind, e.day,
        e.settles_on, e.currency, coalesce(e.amount, 0), e.symbol, e.quantity, e.price,
        coalesce(e.fee, 0), coalesce(e.tax, 0), e.currency_to, e.amount_to, e.rate, e.spread,
        e.source, e.numerator, e.denominator, e.action, e.symbol_to, e.quantity_to, e.cost_share,
        e.reverses, p_at)
    ON CONFLICT (portfolio_id, idem_key) DO NOTHING RETURNING id INTO made;
    IF made IS NOT NULL AND p_item ? 'note' THEN
        INSERT INTO txn_note (txn_id, portfolio_id, note, tags)
        VALUES (made, p_portfolio, p_item->>'note',
                ARRAY(SELECT jsonb_array_elements_text(p_item->'tags')));
    END IF;
    RETURN made;
END $$;
"""

LINES = """
CREATE FUNCTION reversed_lines(p_portfolio bigint, p_txn bigint, p_today jsonb) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    -- what has settled since is in cash by now
    SELECT jsonb_agg(jsonb_build_array(kind, commodity, amount)) FROM (
        SELECT CASE WHEN a.kind IN ('UNSETTLED', 'RECEIVABLE')
                     AND t.settles_on <= (p_today->>p.commodity)::date
                    THEN 'CASH' ELSE a.kind END AS kind,
               p.commodity, -sum(p.amount) AS amount
        FROM posting p JOIN account a ON a.id = p.account_id JOIN txn t ON t.id = p.txn_id
        WHERE p.txn_id = p_txn AND p.portfolio_id = p_portfolio
        GROUP BY 1, 2
    ) AS line
$$;
CREATE FUNCTION store_postings(p_portfolio bigint, p_txn bigint, p_lines jsonb, p_draws boolean)
RETURNS void LANGUAGE sql SET search_path = public, pg_temp AS $$
    WITH line AS (
        SELECT l->>0 AS kind, l->>1 AS commodity, (l->>2)::numeric AS amount,
               (l->>2)::numeric < 0
               AND (l->>0 = 'UNSETTLED' OR (p_draws AND l->>0 = 'CASH')) AS spends
        FROM jsonb_array_elements(p_lines) l
    ), spent AS (  -- money not settled yet pays first, cash the rest
        SELECT line.commodity, line.amount,
               greatest(line.amount, -greatest(a.balance, 0)) AS drawn
        FROM line JOIN account a ON a.portfolio_id = p_portfolio AND a.kind = 'UNSETTLED'
                                AND a.commodity = line.commodity
        WHERE line.spends
    ), moved AS (
        SELECT kind, commodity, amount FROM line WHERE NOT spends
        UNION ALL SELECT 'UNSETTLED', commodity, drawn FROM spent
        UNION ALL SELECT 'CASH', commodity, amount - drawn FROM spent
    ), total AS (
        SELECT kind, commodity, sum(amount) AS amount FROM moved
        GROUP BY kind, commodity HAVING sum(amount) <> 0
    )
    INSERT INTO posting (txn_id, portfolio_id, account_id, commodity, amount)
    SELECT p_txn, p_portfolio, a.id, t.commodity, t.amount
    FROM total t JOIN account a ON a.portfolio_id = p_portfolio AND a.kind = t.kind
                               AND a.commodity = t.commodity
    ORDER BY a.id
$$;
"""

REFUSAL = """
CREATE FUNCTION explain_refusal(p_portfolio bigint, p_lines jsonb, p_draws boolean) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    WITH need AS (
        SELECT CASE WHEN l->>0 = 'UNSETTLED' THEN 'CASH' ELSE l->>0 END AS kind,
               l->>1 AS commodity, -sum((l->>2)::numeric) AS amount
        FROM jsonb_array_elements(p_lines) l
        WHERE l->>0 IN ('CASH', 'UNSETTLED', 'RESERVED', 'RECEIVABLE', 'POSITION') GROUP BY 1, 2
    ), have AS (
        SELECT CASE WHEN kind = 'UNSETTLED' THEN 'CASH' ELSE kind END AS kind, commodity,
               sum(balance) AS amount
        FROM account
        WHERE portfolio_id = p_portfolio AND (kind <> 'UNSETTLED' OR p_draws) GROUP BY 1, 2
    )
    SELECT jsonb_build_object('outcome', 'REFUSED', 'account', need.kind,
        'commodity', need.commodity, 'need', need.amount::text,
        'have', coalesce(have.amount, 0)::text)
    FROM need LEFT JOIN have USING (kind, commodity)
    ORDER BY need.amount > coalesce(have.amount, 0) DESC, need.kind, need.commodity LIMIT 1
$$;
"""

POST = """
CREATE FUNCTION post_entries(p_portfolio bigint, p_user bigint, p_at timestamptz, p_today jsonb,
    p_items jsonb) RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    item jsonb;
    lines jsonb;
    every jsonb := '[]';
    any_draws boolean := false;
    made bigint;
    stored txn;
    ids bigint[] := '{}';
    fresh int := 0;
    broken text;
BEGIN
    PERFORM FROM portfolio WHERE id = p_portfolio AND (p_user IS NULL OR user_id = p_user);
    IF NOT FOUND THEN
        RETURN jsonb_build_object('outcome', 'MISSING');
    END IF;
    BEGIN
        PERFORM hold_accounts(p_portfolio, p_items);
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
            lines := coalesce(item->'lines',
                              reversed_lines(p_portfolio, (item->>'reverses')::bigint, p_today));
            every := every || lines;
            any_draws := any_draws OR coalesce((item->>'draws')::boolean, false);
            PERFORM store_postings(p_portfolio, made, lines,
                                   coalesce((item->>'draws')::boolean, false));
            ids := ids || made;
            fresh := fresh + 1;
        END LOOP;
        IF fresh > 0 THEN
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
            RETURN explain_refusal(p_portfolio, every, any_draws);
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
    RETURN jsonb_build_object('outcome', CASE fresh WHEN 0 THEN 'REPLAY' ELSE 'NEW' END,
                              'ids', to_jsonb(ids), 'fresh', fresh);
END $$;
"""

SETTLE = """
CREATE FUNCTION settle_money(p_portfolio bigint, p_currency text, p_today date, p_at timestamptz)
RETURNS numeric LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
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
    )
    SELECT jsonb_agg(line) INTO due FROM free, LATERAL (VALUES
        (jsonb_build_array(kind, p_currency, -amount)),
        (jsonb_build_array('CASH', p_currency, amount))
    ) AS lines(line) WHERE amount > 0;
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
    PERFORM store_postings(p_portfolio, made, due, false);
    RETURN (SELECT sum((line->>2)::numeric) FROM jsonb_array_elements(due) line
            WHERE line->>0 = 'CASH');
END $$;
"""

DELETE = """
CREATE FUNCTION delete_practice(p_portfolio bigint, p_user bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM portfolio
    WHERE id = p_portfolio AND user_id = p_user AND kind = 'PRACTICE' FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM fill WHERE portfolio_id = p_portfolio;
    DELETE FROM order_event WHERE portfolio_id = p_portfolio;
    DELETE FROM "order" WHERE portfolio_id = p_portfolio;
    DELETE FROM posting WHERE portfolio_id = p_portfolio;
    DELETE FROM txn_note WHERE portfolio_id = p_portfolio;
    DELETE FROM txn WHERE portfolio_id = p_portfolio;
    DELETE FROM account WHERE portfolio_id = p_portfolio;
    DELETE FROM portfolio WHERE id = p_portfolio;
    RETURN true;
END $$;
"""

PUBLIC = (
    "post_entries(bigint, bigint, timestamptz, jsonb, jsonb)",
    "settle_money(bigint, text, date, timestamptz)",
    "delete_practice(bigint, bigint)",
)
OURS = (
    "hold_accounts(bigint, jsonb)",
    "store_txn(bigint, timestamptz, jsonb)",
    "reversed_lines(bigint, bigint, jsonb)",
    "store_postings(bigint, bigint, jsonb, boolean)",
    "explain_refusal(bigint, jsonb, boolean)",
)


def upgrade() -> None:
    """Forward."""
    for source in (HOLD, STORE, *LINES.split("CREATE")[1:], REFUSAL, POST, SETTLE, DELETE):
        op.execute(source if source.lstrip().startswith("CREATE") else f"CREATE{source}")
    role = context.config.attributes.get("app_role")
    for signature in (*PUBLIC, *OURS):
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
    if role is not None:
        quoted = op.get_bind().dialect.identifier_preparer.quote(role)
        for signature in PUBLIC:
            op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO {quoted}")
