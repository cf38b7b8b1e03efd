"""Who may ask: everybody where the market is public; changes of what is shared are an admin's."""

from __future__ import annotations

from dataclasses import replace

import pytest
from graphql import GraphQLObjectType

from app.domain.access import Role, Scope
from app.graphql.schema import schema
from tests.graphql.asking import execute, make_context
from tests.people import by_api_token, by_session, make_user

EXAMPLES = {
    "Query.recommendation": 'query { recommendation(symbol: "A") { rank } }',
    "Query.recommendations": "query { recommendations { totalCount } }",
    "Query.recommendationIssues": "query { recommendationIssues { market } }",
    "Query.recommendationWalks": "query { recommendationWalks { market } }",
    "Query.positionAdvice": "query { positionAdvice { advice } }",
    "Query.correlation": 'query { correlation(symbols: ["A", "B"]) }',
    "Query.pairCorrelation": 'query { pairCorrelation(one: "A", two: "B") { pearson } }',
    "Query.leadLag": 'query { leadLag(symbols: ["A", "B"]) { q } }',
    "Query.trackRecord": "query { trackRecord { issued } }",
    "Query.instrument": 'query { instrument(symbol: "A") { name } }',
    "Query.instruments": "query { instruments { totalCount } }",
    "Query.quotes": 'query { quotes(symbols: ["A"]) { at } }',
    "Query.markets": "query { markets { mic } }",
    "Query.collections": "query { collections { id } }",
    "Query.fxRate": 'query { fxRate(base: "USD", quote: "KRW") { rate } }',
    "Query.sessionOverrides": "query { sessionOverrides { mic } }",
    "Query.tradingDays": 'query { tradingDays(mic: "XKRX") { day } }',
    "Query.searchSource": 'query { searchSource(query: "A") { silent } }',
    "Query.symbolLists": "query { symbolLists { key } }",
    "Query.dependents": 'query { dependents(symbol: "A") { kind } }',
    "Query.dataVersion": "query { dataVersion }",
    "Query.dataHealth": "query { dataHealth { quarantined } }",
    "Query.quarantine": "query { quarantine { totalCount } }",
    "Query.revisions": "query { revisions { totalCount } }",
    "Query.crossChecks": "query { crossChecks { totalCount } }",
    "Query.collectionProgress": "query { collectionProgress { total } }",
    "Query.source": "query { source { name } }",
    "Mutation.trackInstrument": 'mutation { trackInstrument(symbol: "A") { name } }',
    "Mutation.saveSessionOverride": """mutation { saveSessionOverride(
        input: {mics: [], day: "2026-10-15", closed: true, reason: "A"}) { mic } }""",
    "Mutation.removeSessionOverride": """mutation {
        removeSessionOverride(mic: "XKRX", day: "2026-11-19") { mic } }""",
    "Mutation.restoreSessionOverride": """mutation {
        restoreSessionOverride(mic: "XKRX", day: "2026-11-19") { mic } }""",
    "Mutation.trackInstruments": 'mutation { trackInstruments(symbols: ["A"]) { added } }',
    "Mutation.trackList": 'mutation { trackList(key: "x") { added } }',
    "Mutation.removeInstrument": 'mutation { removeInstrument(symbol: "A") }',
    "Mutation.collect": "mutation { collect { id } }",
    "Mutation.releaseQuarantined": "mutation { releaseQuarantined(id: 1) { id } }",
    "Mutation.dropQuarantined": "mutation { dropQuarantined(id: 1) { id } }",
    "Mutation.useSource": """mutation {
        useSource(symbol: "A", provider: "krx") { outcome } }""",
    "Mutation.switchSource": "mutation { switchSource(name: SAMPLE) { name } }",
    "Query.me": "query { me { username } }",
    "Query.sessions": "query { sessions { id } }",
    "Query.apiTokens": "query { apiTokens { id } }",
    "Mutation.register": """mutation {
        register(username: "a", email: "a@b.c", password: "x") { username } }""",
    "Mutation.signIn": 'mutation { signIn(username: "a", password: "x") { accessToken } }',
    "Mutation.refresh": 'mutation { refresh(refreshToken: "x") { accessToken } }',
    "Mutation.signOut": "mutation { signOut }",
    "Mutation.endSession": 'mutation { endSession(id: "browser-1") }',
    "Mutation.createApiToken": 'mutation { createApiToken(name: "a", scopes: [READ]) { text } }',
    "Mutation.revokeApiToken": "mutation { revokeApiToken(id: 1) }",
    "Mutation.updateSettings": "mutation { updateSettings(input: {}) { username } }",
    "Mutation.acceptDisclaimer": "mutation { acceptDisclaimer { username } }",
    "Mutation.invite": "mutation { invite }",
    "Mutation.beginSecondFactor": "mutation { beginSecondFactor { uri } }",
    "Mutation.confirmSecondFactor": 'mutation { confirmSecondFactor(password: "x", code: "1") }',
    "Mutation.renewRecoveryCodes": 'mutation { renewRecoveryCodes(password: "x") }',
    "Mutation.turnOffSecondFactor": 'mutation { turnOffSecondFactor(password: "x") }',
    "Mutation.changePassword": 'mutation { changePassword(current: "x", password: "y") }',
    "Mutation.changeEmail": 'mutation { changeEmail(password: "x", email: "y") { email } }',
    "Mutation.deleteAccount": 'mutation { deleteAccount(password: "x") }',
    "Query.signInOptions": "query { signInOptions { mail } }",
    "Query.linkedProviders": "query { linkedProviders { id } }",
    "Query.exportAccount": "query { exportAccount }",
    "Query.users": "query { users { totalCount } }",
    "Mutation.sendVerification": "mutation { sendVerification }",
    "Mutation.linkProvider": 'mutation { linkProvider(key: "a", password: "x") }',
    "Mutation.unlinkProvider": 'mutation { unlinkProvider(id: 1, password: "x") }',
    "Mutation.requestPasswordReset": 'mutation { requestPasswordReset(email: "a@b.c") }',
    "Mutation.resetPassword": 'mutation { resetPassword(token: "a", password: "x") }',
    "Mutation.confirmEmail": 'mutation { confirmEmail(token: "a") }',
    "Mutation.changeRole": 'mutation { changeRole(username: "a", role: ADMIN) { role } }',
    "Mutation.deactivateUser": 'mutation { deactivateUser(username: "a") { role } }',
    "Mutation.activateUser": 'mutation { activateUser(username: "a") { role } }',
    "Mutation.deleteUser": 'mutation { deleteUser(username: "a") }',
    "Mutation.startDemo": "mutation { startDemo { user { username } } }",
    "Query.portfolios": "query { portfolios { name } }",
    "Query.portfolio": "query { portfolio(id: 1) { name } }",
    "Query.screen": "query { screen(preset: OVERSOLD) { totalCount } }",
    "Query.signalWorth": "query { signalWorth { count } }",
    "Query.screenFields": "query { screenFields { key } }",
    "Query.savedScreens": "query { savedScreens { name } }",
    "Mutation.saveScreen": 'mutation { saveScreen(name: "A") { name } }',
    "Mutation.deleteScreen": "mutation { deleteScreen(id: 1) }",
    "Query.recordPresets": "query { recordPresets { name } }",
    "Mutation.createPortfolio": """mutation {
        createPortfolio(input: {name: "A", kind: SIMULATED}) { name } }""",
    "Mutation.renamePortfolio": 'mutation { renamePortfolio(id: 1, name: "A") { name } }',
    "Mutation.archivePortfolio": "mutation { archivePortfolio(id: 1) { name } }",
    "Mutation.deletePortfolio": "mutation { deletePortfolio(id: 1) }",
    "Mutation.recordTransaction": """mutation { recordTransaction(key: "k", input: {
        portfolio: 1, kind: DEPOSIT, day: "2026-03-02", currency: "KRW", amount: "5"}) { id } }""",
    "Mutation.reverseTransaction": 'mutation { reverseTransaction(id: 1, key: "k") { id } }',
    "Mutation.importTransactions": """mutation {
        importTransactions(portfolio: 1, csv: "a") { recorded } }""",
    "Mutation.saveRecordPreset": """mutation {
        saveRecordPreset(name: "A", mapping: {}) { name } }""",
    "Mutation.deleteRecordPreset": "mutation { deleteRecordPreset(id: 1) }",
    "Mutation.acceptProposal": """mutation { acceptProposal(
        portfolio: 1, kind: SPLIT, symbol: "A", day: "2026-03-02") { id } }""",
    "Mutation.dismissProposal": """mutation { dismissProposal(
        portfolio: 1, kind: SPLIT, symbol: "A", day: "2026-03-02") }""",
    "Mutation.previewOrder": """mutation { previewOrder(input: {
        portfolio: 1, symbol: "A", side: BUY, type: MARKET, quantity: "1"}) { price } }""",
    "Mutation.placeOrder": """mutation { placeOrder(key: "k", input: {
        portfolio: 1, symbol: "A", side: BUY, type: MARKET, quantity: "1"}) { id } }""",
    "Mutation.cancelOrder": "mutation { cancelOrder(id: 1) { id } }",
    "Query.watchlists": "query { watchlists { name } }",
    "Query.watchlist": "query { watchlist(id: 1) { name } }",
    "Mutation.saveWatchlist": 'mutation { saveWatchlist(name: "A", symbols: []) { name } }',
    "Mutation.renameWatchlist": 'mutation { renameWatchlist(id: 1, name: "A") { name } }',
    "Mutation.deleteWatchlist": "mutation { deleteWatchlist(id: 1) }",
    "Mutation.addToWatchlist": """mutation {
        addToWatchlist(id: 1, symbols: ["A"]) { words { text } } }""",
    "Mutation.takeFromWatchlist": 'mutation { takeFromWatchlist(id: 1, symbol: "A") { name } }',
    "Mutation.moveInWatchlist": """mutation {
        moveInWatchlist(id: 1, symbol: "A", position: 0) { name } }""",
    "Query.strategies": "query { strategies { key } }",
    "Query.backtest": "query { backtest(id: 1) { name } }",
    "Query.backtests": "query { backtests { totalCount } }",
    "Query.compareBacktests": "query { compareBacktests(ids: [1, 2]) { name } }",
    "Mutation.runBacktest": 'mutation { runBacktest(input: {strategy: "a", symbols: ["A"]}) { id } }',
    "Mutation.cancelBacktest": "mutation { cancelBacktest(id: 1) { id } }",
    "Mutation.repeatBacktest": "mutation { repeatBacktest(id: 1) { id } }",
    "Mutation.shadowPortfolio": "mutation { shadowPortfolio(backtestId: 1, portfolioId: 1) { id } }",
    "Mutation.deleteBacktest": "mutation { deleteBacktest(id: 1) }",
    "Query.alertRules": "query { alertRules { id } }",
    "Query.alerts": "query { alerts { totalCount } }",
    "Query.alertHours": "query { alertHours { timeZone } }",
    "Mutation.saveAlertRule": """mutation { saveAlertRule(
        input: {kind: PRICE_ABOVE, symbol: "A", level: "5"}) { id } }""",
    "Mutation.pauseAlertRule": "mutation { pauseAlertRule(id: 1) { id } }",
    "Mutation.deleteAlertRule": "mutation { deleteAlertRule(id: 1) }",
    "Mutation.acknowledgeAlert": "mutation { acknowledgeAlert(id: 1) { id } }",
    "Mutation.acknowledgeAlerts": "mutation { acknowledgeAlerts }",
    "Query.alertChannels": "query { alertChannels { id } }",
    "Query.notices": "query { notices { id } }",
    "Query.pushKey": "query { pushKey }",
    "Mutation.saveAlertChannel": "mutation { saveAlertChannel(input: {kind: EMAIL}) { id } }",
    "Mutation.deleteAlertChannel": "mutation { deleteAlertChannel(id: 1) }",
    "Mutation.testAlertChannel": "mutation { testAlertChannel(id: 1) { id } }",
    "Mutation.retryNotice": "mutation { retryNotice(id: 1) { id } }",
    "Mutation.saveAlertHours": "mutation { saveAlertHours { timeZone } }",
    "Subscription.alerts": "subscription { alerts { id } }",
    "Subscription.backtest": "subscription { backtest(id: 1) { name } }",
    "Subscription.portfolio": "subscription { portfolio(id: 1) { total } }",
    "Subscription.quotes": 'subscription { quotes(symbols: ["A"]) { at } }',
    "Subscription.quoteFrames": 'subscription { quoteFrames(symbols: ["A"]) }',
}

OPEN = {
    "Query.me",
    "Query.signInOptions",
    "Mutation.register",
    "Mutation.requestPasswordReset",
    "Mutation.resetPassword",
    "Mutation.confirmEmail",
}
"""Answered to strangers too."""
OWN = {
    "Query.sessions",
    "Query.apiTokens",
    "Query.linkedProviders",
    "Query.exportAccount",
    "Mutation.sendVerification",
    "Mutation.linkProvider",
    "Mutation.unlinkProvider",
    "Mutation.signOut",
    "Mutation.endSession",
    "Mutation.createApiToken",
    "Mutation.revokeApiToken",
    "Mutation.updateSettings",
    "Mutation.acceptDisclaimer",
    "Mutation.beginSecondFactor",
    "Mutation.confirmSecondFactor",
    "Mutation.renewRecoveryCodes",
    "Mutation.turnOffSecondFactor",
    "Mutation.changePassword",
    "Mutation.changeEmail",
    "Mutation.deleteAccount",
}
"""Of the own account: asked by the person, not by the operator as such."""
SIGNING_IN = {"Mutation.signIn", "Mutation.refresh"}
SCREENS = {"Query.savedScreens", "Mutation.saveScreen", "Mutation.deleteScreen"}
WORDS = (
    "positionAdvice",
    "ortfolio",
    "ransaction",
    "Order",
    "RecordPreset",
    "Proposal",
    "acktest",
    "lert",
    "atchlist",
    "otice",
    "pushKey",
)
HELD = {f for f in EXAMPLES if any(word in f for word in WORDS)} | SCREENS | {"Query.recordPresets"}
"""Of the own portfolios, backtests, alerts and lists: a person's or a program's, changed with TRADE."""
APART = OWN | SIGNING_IN | OPEN | HELD
SHARED = [f for f in EXAMPLES if f.startswith("Mutation.") and f not in APART]


def test_every_root_field_has_an_example_here():
    roots = schema.graphql_schema
    fields = {
        f"{kind.name}.{name}"
        for kind in (roots.query_type, roots.mutation_type, roots.subscription_type)
        if isinstance(kind, GraphQLObjectType)
        for name in kind.fields
    }
    assert fields == set(EXAMPLES)


async def first_code(env, query: str, **changes) -> str | None:
    if query.startswith("subscription"):
        context = make_context(env, **changes)
        results = await schema.stream(query, context_value=context)
        async for result in results:
            return result.errors[0].extensions["code"] if result.errors else None
    result = await execute(env, query, **changes)
    return result.errors[0].extensions["code"] if result.errors else None


@pytest.mark.parametrize("field", sorted(EXAMPLES.keys() - OPEN))
async def test_a_stranger_reads_nothing_of_a_market_that_is_not_public(env, field):
    private = replace(env, settings=replace(env.settings, public_market=False))
    assert await first_code(private, EXAMPLES[field], operator=False) == "UNAUTHENTICATED"


@pytest.mark.parametrize("field", sorted(EXAMPLES.keys() - OPEN))
async def test_a_stranger_changes_nothing_of_a_market_that_is(env, field):
    code = await first_code(env, EXAMPLES[field], operator=False)
    guarded = field.startswith("Mutation.") or field in OWN | HELD | {"Query.users"}
    assert (code == "UNAUTHENTICATED") is guarded


@pytest.mark.parametrize("field", [n for n in EXAMPLES if not n.startswith("Mutation.")])
async def test_the_operator_reads_whatever_the_setting(env, field):
    private = replace(env, settings=replace(env.settings, public_market=False))
    code = await first_code(private, EXAMPLES[field])
    assert (code == "UNAUTHENTICATED") is (field in OWN | HELD)


@pytest.mark.parametrize("field", SHARED)
async def test_what_is_shared_is_changed_by_no_one_but_an_administrator(env, field):
    identity = await by_session(env, await make_user(env))
    context = make_context(env, operator=False).signed_in(identity)
    result = await schema.execute(EXAMPLES[field], context_value=context)
    assert result.errors[0].extensions["code"] == "FORBIDDEN"


@pytest.mark.parametrize("scope", Scope)
async def test_an_administrator_s_token_changes_what_is_shared_only_with_its_scope(env, scope):
    admin = await make_user(env, "root", Role.ADMIN)
    context = make_context(env, operator=False).signed_in(await by_api_token(env, admin, scope))
    result = await schema.execute(EXAMPLES["Mutation.collect"], context_value=context)
    codes = [error.extensions["code"] for error in result.errors or ()]
    assert ("FORBIDDEN" in codes) is (scope is not Scope.ADMIN)


@pytest.mark.parametrize("field", sorted(OWN - {"Mutation.acceptDisclaimer"}))
async def test_an_api_token_has_no_hand_in_the_account(env, field):
    identity = await by_api_token(env, await make_user(env, role=Role.ADMIN), *Scope)
    context = make_context(env, operator=False).signed_in(identity)
    result = await schema.execute(EXAMPLES[field], context_value=context)
    assert result.errors[0].extensions["code"] == "FORBIDDEN"


@pytest.mark.parametrize("field", sorted(f for f in HELD if f.startswith("Mutation.")))
async def test_a_token_that_only_reads_changes_no_portfolio(env, field):
    identity = await by_api_token(env, await make_user(env), Scope.READ)
    context = make_context(env, operator=False).signed_in(identity)
    result = await schema.execute(EXAMPLES[field], context_value=context)
    assert result.errors[0].extensions["code"] == "FORBIDDEN"


async def test_whoever_has_signed_in_reads_a_market_that_is_not_public(env):
    private = replace(env, settings=replace(env.settings, public_market=False))
    identity = await by_api_token(env, await make_user(env))
    context = make_context(private, operator=False).signed_in(identity)
    result = await schema.execute(EXAMPLES["Query.markets"], context_value=context)
    assert result.errors is None
