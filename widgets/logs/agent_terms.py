"""What a query says of agents."""

from typing import TypeGuard

from models.domain.search.terms import All, Either, FieldIs, Not, Place, Term


def is_agent(term: Term) -> TypeGuard[FieldIs]:
    """Records of an agent, or of those of a pattern."""
    return isinstance(term, FieldIs) and term.field == Place.AGENT


def about_agents(term: Term) -> bool:
    """Does it say whose records are meant, or are not, and nothing else?"""
    match term:
        case Not(inner):
            return about_agents(inner)
        case All(terms) | Either(terms):
            return all(map(about_agents, terms))
        case _:
            return is_agent(term)
