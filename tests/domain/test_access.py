"""Scopes in force: those granted, as far as the role has them; every token reads."""

from __future__ import annotations

from app.domain.access import Role, Scope, scopes_of


def test_a_person_has_the_scopes_of_the_role():
    assert scopes_of(Role.ADMIN) == frozenset(Scope)
    assert scopes_of(Role.USER) == {Scope.READ, Scope.TRADE}


def test_a_token_has_no_more_than_its_owner():
    assert scopes_of(Role.USER, frozenset({Scope.ADMIN})) == {Scope.READ}
    assert scopes_of(Role.ADMIN, frozenset({Scope.ADMIN})) == {Scope.READ, Scope.ADMIN}
    assert scopes_of(Role.ADMIN, frozenset({Scope.TRADE})) == {Scope.READ, Scope.TRADE}
