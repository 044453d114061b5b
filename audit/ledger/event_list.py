"""The list of events page by page: each starts after the last one shown, nothing is counted or skipped."""

from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.paginator import Paginator
from django.http import HttpRequest
from unfold.views import ChangeList

from audit.ledger.queries import before_cursor, cursor_of

BEFORE = "before"


class EventList(ChangeList):  # type: ignore[misc]  # unfold is untyped
    """The newest events that match, or those older than the cursor `before`."""

    older = ""
    is_first_page = True

    def get_filters_params(self, params: Any = None) -> Any:  # noqa: ANN401 - Django's signature
        """The cursor is no filter, and no filter's link keeps it."""
        self.params.pop(BEFORE, None)
        self.filter_params.pop(BEFORE, None)
        return super().get_filters_params(params)

    def get_results(self, request: HttpRequest) -> None:
        """One row more than a page holds tells whether there is another.

        Raises:
            IncorrectLookupParameters: the cursor is none of ours.
        """
        events = self.queryset
        cursor = request.GET.get(BEFORE, "")
        if cursor:
            try:
                events = before_cursor(events, cursor)
            except ValueError as fault:
                raise IncorrectLookupParameters(fault) from fault
        rows = list(events[: self.list_per_page + 1])
        self.result_list = rows[: self.list_per_page]
        self.older = cursor_of(self.result_list[-1]) if len(rows) > self.list_per_page else ""
        self.is_first_page = not cursor
        self.result_count = self.full_result_count = len(self.result_list)
        self.show_full_result_count = self.show_admin_actions = False
        self.can_show_all = self.multi_page = False
        self.paginator = Paginator(self.result_list, self.list_per_page)
