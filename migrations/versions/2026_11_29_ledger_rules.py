"""The ledger's rules in the database: balance, append-only, projection, orders' states, rights.

The functions that post, settle and delete are those of the next revision, `ledger_posting`.
"""

from __future__ import annotations

from alembic import context, op

revision = "ledger_rules"
down_revision = "ledger"
branch_labels = None
depends_on = None

APPEND_ONLY = ("txn", "posting", "fill", "order_event")
CHILDREN = ("account", "txn", "txn_note", "posting", "order", "order_event", "fill")

STRICTNESS = """
CREATE FUNCTION account_strictness() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    NEW."strict" := (SELECT kind <> 'TRACKED' FROM portfolio WHERE id = NEW.portfolio_id);
    NEW.balance := 0;
    RETURN NEW;
END $$;
CREATE TRIGGER strictness BEFORE INSERT ON account
    FOR EACH ROW EXECUTE FUNCTION account_strictness();
"""

BALANCED = """
CREATE FUNCTION txn_balanced() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    whole bigint := CASE TG_TABLE_NAME WHEN 'txn' THEN (to_jsonb(NEW)->>'id')::bigint
                    ELSE (to_jsonb(NEW)->>'txn_id')::bigint END;
BEGIN
    IF (SELECT count(*) FROM posting WHERE txn_id = whole) < 2 THEN
        RAISE EXCEPTION 'transaction % has fewer than two postings', whole
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'txn_two_postings';
    END IF;
    IF EXISTS (SELECT FROM posting WHERE txn_id = whole
               GROUP BY commodity HAVING sum(amount) <> 0) THEN
        RAISE EXCEPTION 'transaction % does not balance', whole
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'txn_balanced';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON txn DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION txn_balanced();
CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON posting DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION txn_balanced();
"""

APPENDED = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' AND TG_LEVEL = 'ROW' THEN
        -- practice can be thrown away as a whole: nobody but the table's owner has DELETE
        IF EXISTS (SELECT FROM portfolio WHERE id = OLD.portfolio_id AND kind = 'PRACTICE') THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only';
END $$;
"""

PROJECTION = """
CREATE FUNCTION project_postings() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh f JOIN txn t ON t.id = f.txn_id
               WHERE t.xact <> pg_current_xact_id()::text::bigint) THEN
        RAISE EXCEPTION 'a stored transaction takes no further postings'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only';
    END IF;
    IF EXISTS (SELECT FROM fresh f LEFT JOIN account a ON a.id = f.account_id
               WHERE (a.portfolio_id, a.commodity)
                     IS DISTINCT FROM (f.portfolio_id, f.commodity)) THEN
        RAISE EXCEPTION 'a posting belongs to an account of its portfolio and commodity'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'posting_account';
    END IF;
    PERFORM FROM account WHERE id IN (SELECT account_id FROM fresh)
        ORDER BY id FOR NO KEY UPDATE;
    UPDATE account SET balance = balance + moved.amount
    FROM (SELECT account_id, sum(amount) AS amount FROM fresh GROUP BY account_id) AS moved
    WHERE id = moved.account_id;
    RETURN NULL;
END $$;
CREATE TRIGGER projection AFTER INSERT ON posting REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION project_postings();
"""

ORDERS = """
CREATE FUNCTION order_step() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state NOT IN ('NEW', 'REJECTED') OR NEW.filled <> 0 THEN
            RAISE EXCEPTION 'an order begins as NEW or REJECTED, not as %', NEW.state
                USING ERRCODE = 'check_violation', CONSTRAINT = 'order_transition';
        END IF;
    ELSIF NOT EXISTS (SELECT FROM order_transition
                      WHERE state = OLD.state AND next_state = NEW.state)
          AND (NEW.state <> OLD.state OR OLD.ended_at IS NOT NULL) THEN
        RAISE EXCEPTION 'an order does not go from % to %', OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'order_transition';
    ELSIF NEW.filled < OLD.filled THEN
        RAISE EXCEPTION 'what is filled stays filled'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'order_transition';
    END IF;
    IF (NEW.state IN ('NEW', 'PARTIALLY_FILLED')) <> (NEW.ended_at IS NULL) THEN
        RAISE EXCEPTION 'ended_at stands with the end of an order'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'order_ended';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION order_noted() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.state = OLD.state AND NEW.filled = OLD.filled THEN
        RETURN NULL;
    END IF;
    INSERT INTO order_event (order_id, portfolio_id, state, filled, reason, at)
    VALUES (NEW.id, NEW.portfolio_id, NEW.state, NEW.filled, NEW.reason,
            coalesce(NEW.ended_at, CASE TG_OP WHEN 'INSERT' THEN NEW.placed_at
                                   ELSE statement_timestamp() END));
    RETURN NULL;
END $$;
CREATE TRIGGER step BEFORE INSERT OR UPDATE ON "order"
    FOR EACH ROW EXECUTE FUNCTION order_step();
CREATE TRIGGER noted AFTER INSERT OR UPDATE ON "order"
    FOR EACH ROW EXECUTE FUNCTION order_noted();
"""

RIGHTS = {
    "portfolio": "SELECT, INSERT, UPDATE (name, archived_at, cost_profile, fx_spread)",
    "account": "SELECT, INSERT (portfolio_id, kind, commodity)",
    "txn": (
        "SELECT, INSERT (portfolio_id, idem_key, req_hash, kind, day, settles_on, currency,"
        " amount, symbol, quantity, price, fee, tax, currency_to, amount_to, rate, spread, source,"
        " numerator, denominator, action, symbol_to, quantity_to, cost_share, reverses, created_at)"
    ),
    "txn_note": "SELECT, INSERT, UPDATE, DELETE",
    "posting": "SELECT, INSERT",
    "order_transition": "SELECT",
    "order": (
        "SELECT, INSERT,"
        " UPDATE (quantity, amount, price, triggered, state, filled, reservation_id, reason,"
        " expires_at, ended_at)"
    ),
    "order_event": "SELECT",
    "fill": "SELECT, INSERT",
}


def upgrade() -> None:
    """Forward."""
    for source in (STRICTNESS, BALANCED, APPENDED, PROJECTION, ORDERS):
        _run(source)
    for table in APPEND_ONLY:
        _forbid_change(table)
    _protect()
    role = context.config.attributes.get("app_role")
    if role is not None:
        _grant(op.get_bind().dialect.identifier_preparer.quote(role))


def _run(source: str) -> None:
    """Runs the statements of a text one by one: the driver prepares each."""
    statement = ""
    for line in source.strip().splitlines(keepends=True):
        statement += line
        if line.rstrip().endswith(";") and statement.count("$$") % 2 == 0:
            op.execute(statement)
            statement = ""


def _forbid_change(table: str) -> None:
    op.execute(
        f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _protect() -> None:
    """Row-level security: a portfolio is its owner's, everything else is seen through it."""
    whose = "current_setting('app.uid', true)"
    own = f"user_id::text = {whose} OR {whose} = 'everyone'"
    op.execute("ALTER TABLE portfolio ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY owner ON portfolio USING ({own}) WITH CHECK ({own})")
    for table in CHILDREN:
        through = f'EXISTS (SELECT FROM portfolio p WHERE p.id = "{table}".portfolio_id)'
        op.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
        op.execute(f'CREATE POLICY owner ON "{table}" USING ({through}) WITH CHECK ({through})')


def _grant(role: str) -> None:
    """Takes back what new tables give by default, and gives what the ledger allows."""
    for table, rights in RIGHTS.items():
        op.execute(f'REVOKE ALL ON "{table}" FROM {role}')
        op.execute(f'GRANT {rights} ON "{table}" TO {role}')
