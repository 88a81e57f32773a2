"""What is written down: notes, and articles for those who ask."""

from __future__ import annotations

import msgspec

from runner.emulator.objects.fields import (
    checkbox,
    computed,
    external_ids,
    picklist,
    plain,
    record_id,
    reference,
    restricted,
    system,
    text,
)
from runner.emulator.schema import Field, Kind, ObjectType

PUBLISHING = ("Draft", "Online", "Archived")
LANGUAGES = ("en_US", "de", "fr", "ja")
#: what the ids of articles begin with; an article is not an object of its own here
ARTICLE = "kA0"


def objects() -> tuple[ObjectType, ...]:
    return _note(), _article_version()


def _note() -> ObjectType:
    parents = (
        "Account",
        "Contact",
        "Lead",
        "Opportunity",
        "Case",
        "Campaign",
        "Contract",
        "Order",
        "Product2",
    )
    parent = reference("ParentId", *parents, label="Parent ID", children="Notes")
    return ObjectType(
        name="Note",
        label="Note",
        plural="Notes",
        prefix="002",
        name_field="Title",
        searchable=True,
        fields=(
            record_id("Note Id"),
            msgspec.structs.replace(parent, nillable=False, updateable=False, cascade=True),
            text("Title", 80, required=True),
            checkbox("IsPrivate", label="Private"),
            plain("Body", Kind.TEXTAREA, 32000),
            *external_ids(),
            *system(),
        ),
    )


def _article_version() -> ObjectType:
    return ObjectType(
        name="Knowledge__kav",
        label="Knowledge",
        plural="Knowledge",
        prefix="ka0",
        name_field="Title",
        searchable=True,
        layoutable=True,
        fields=(
            record_id("Knowledge ID"),
            _article_id(),
            msgspec.structs.replace(computed("ArticleNumber", Kind.STRING, 80), counted="{000000000}"),
            text("Title", required=True),
            msgspec.structs.replace(text("UrlName", label="URL Name", required=True), unique=True),
            plain("Summary", Kind.TEXTAREA, 1000),
            restricted(picklist("PublishStatus", *PUBLISHING, default="Draft", label="Publication Status")),
            restricted(picklist("Language", *LANGUAGES, default="en_US", label="Article Language")),
            computed("VersionNumber", Kind.INT),
            computed("IsLatestVersion", Kind.BOOLEAN),
            checkbox("IsVisibleInApp", label="Visible In Internal App", default=True),
            checkbox("IsVisibleInPkb", label="Visible In Public Knowledge Base"),
            checkbox("IsVisibleInCsp", label="Visible to Customer"),
            checkbox("IsVisibleInPrm", label="Visible to Partner"),
            reference("SourceId", "Case", label="Source ID"),
            computed("ArticleTotalViewCount", Kind.INT, label="Total View Count"),
            computed("ArticleCaseAttachCount", Kind.INT, label="Case Attach Count"),
            computed("FirstPublishedDate", Kind.DATETIME, nillable=True),
            computed("LastPublishedDate", Kind.DATETIME, nillable=True),
            computed("ArchivedDate", Kind.DATETIME, nillable=True),
            *external_ids(),
            *system(),
        ),
    )


def _article_id() -> Field:
    """The article that this is a version of."""
    return Field(
        name="KnowledgeArticleId",
        kind=Kind.REFERENCE,
        label="Knowledge Article ID",
        length=18,
        nillable=False,
        createable=False,
        updateable=False,
        targets=("Knowledge__ka",),
    )
