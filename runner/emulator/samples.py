"""What the sample data say: the columns of each object's records."""

from __future__ import annotations

from itertools import repeat
from typing import cast

from runner.emulator import samples_papers as papers
from runner.emulator import words
from runner.emulator.database import Value
from runner.emulator.derive import PROBABILITIES, counted
from runner.emulator.objects.custom import SKILLS
from runner.emulator.objects.deals import DEAL_TYPES, STAGES
from runner.emulator.objects.fields import SALUTATIONS
from runner.emulator.objects.people import INDUSTRIES, RATINGS, REGIONS, SOURCES
from runner.emulator.seed import Batch, Columns, Plan, Seeder, address


def plan(contacts: int) -> Plan:
    """How many there are of each object, in the order in which they are made: who is pointed to comes
    first.
    """
    return {
        "Account": (contacts // 10 or min(contacts, 1), _accounts),
        "Campaign": (min(contacts, 5), _campaigns),
        "Contact": (contacts, _contacts),
        "Opportunity": (contacts // 5, _opportunities),
        "Lead": (contacts // 5, _leads),
        "Case": (contacts // 10, _cases),
        "Task": (contacts // 5, _tasks),
        "Event": (contacts // 50, _events),
        "Product2": (min(contacts, len(words.PRODUCTS)), _products),
        "Pricebook2": (min(contacts, 1), _pricebooks),
        "PricebookEntry": (min(contacts, len(words.PRODUCTS)), _pricebook_entries),
        "OpportunityLineItem": (contacts // 20, _line_items),
        "OpportunityContactRole": (contacts // 20, _contact_roles),
        "CampaignMember": (contacts // 20, _campaign_members),
        "Contract": (contacts // 20, papers.contracts),
        "Order": (contacts // 20, papers.orders),
        "OrderItem": (contacts // 20 * papers.ITEMS, papers.order_items),
        "Note": (contacts // 20, papers.notes),
        "Knowledge__kav": (contacts // 20, papers.articles),
        "Project__c": (contacts // 20, _projects),
        "Milestone__c": (contacts // 20 * 2, _milestones),
    }


def _person(batch: Batch) -> Columns:
    first, last = batch.pick(words.FIRST_NAMES, empty=0.02), batch.pick(words.LAST_NAMES)
    return {
        "FirstName": first,
        "LastName": last,
        "Salutation": batch.pick(SALUTATIONS, empty=0.3),
        "Name": [f"{a} {b}" if a else b for a, b in zip(first, last, strict=True)],
        "Email": _some(batch, batch.numbered("person%d@example.com"), 0.9),
        "Phone": _some(batch, batch.numbered("+1 555 %07d"), 0.8),
        "MobilePhone": _some(batch, batch.numbered("+44 7700 %06d"), 0.5),
        "Title": batch.pick(words.TITLES, empty=0.1),
        "LeadSource": batch.pick(SOURCES, empty=0.2),
        "Description": batch.pick(words.NOTES, empty=0.4),
    }


def _some(batch: Batch, values: list[Value], share: float) -> list[Value]:
    """The values, but nothing for some of the records."""
    return [value if kept else None for value, kept in zip(values, batch.chance(share), strict=True)]


def _companies(batch: Batch) -> list[Value]:
    stems, kinds = batch.pick(words.COMPANY_STEMS), batch.pick(words.COMPANY_KINDS)
    return [f"{stem} {kind}" for stem, kind in zip(stems, kinds, strict=True)]


def _accounts(batch: Batch, seeder: Seeder) -> Columns:
    known = seeder.known("Account")
    return {
        "ParentId": [known[n // 10] if n % 5 == 0 and n // 10 < len(known) else None for n in batch.numbers],
        "Regions__c": batch.pick([*REGIONS, ";".join(REGIONS[:2]), ";".join(REGIONS[2:])], empty=0.3),
        "Name": _companies(batch),
        "Type": batch.pick(("Prospect", "Customer", "Partner"), empty=0.2),
        **address(batch, "Billing"),
        **address(batch, "Shipping"),
        "Phone": batch.numbered("+1 555 %07d"),
        "Website": _some(batch, batch.numbered("https://www.example.com/%d"), 0.7),
        "Industry": batch.pick(INDUSTRIES, empty=0.1),
        "AnnualRevenue": batch.pick([float(size * 250_000) for size in range(1, 200)], empty=0.2),
        "NumberOfEmployees": batch.pick([*range(5, 500), 1_000, 25_000], empty=0.1),
        "Rating": batch.pick(RATINGS, empty=0.3),
        "Description": batch.pick(words.NOTES, empty=0.6),
        "AccountNumber": batch.numbered("A%06d"),
    }


def _contacts(batch: Batch, seeder: Seeder) -> Columns:
    return {
        **_person(batch),
        **address(batch, "Mailing"),
        "AccountId": batch.pick(seeder.known("Account"), empty=0.05),
        "Department": batch.pick(words.DEPARTMENTS, empty=0.2),
        "Birthdate": batch.pick([f"{year}-{year % 12 + 1:02}-17" for year in range(1950, 2005)], empty=0.4),
        "DoNotCall": batch.chance(0.1),
        "HasOptedOutOfEmail": batch.chance(0.1),
    }


def _opportunities(batch: Batch, seeder: Seeder) -> Columns:
    stages = batch.pick(STAGES)
    deals = batch.pick(words.DEALS)
    amounts = batch.pick([size * 125.5 for size in range(1, 2000)], empty=0.1)
    closing = seeder.dates.day(batch, 0, 900)
    shares = [PROBABILITIES[str(stage)] for stage in stages]
    return {
        "AccountId": batch.pick(seeder.known("Account"), empty=0.02),
        "Name": [f"{deal} {number}" for deal, number in zip(deals, batch.numbers, strict=True)],
        "StageName": stages,
        "Amount": amounts,
        "Probability": shares,
        "ExpectedRevenue": [
            None if amount is None else float(amount) * share / 100
            for amount, share in zip(amounts, shares, strict=True)
        ],
        "CloseDate": closing,
        "FiscalYear": [int(str(day)[:4]) for day in closing],
        "FiscalQuarter": [(int(str(day)[5:7]) + 2) // 3 for day in closing],
        "RecordTypeId": batch.pick([kind.id for kind in DEAL_TYPES]),
        "Type": batch.pick(("Existing Business", "New Business"), empty=0.2),
        "NextStep": batch.pick(words.SUBJECTS, empty=0.5),
        "LeadSource": batch.pick(SOURCES, empty=0.2),
        "CampaignId": batch.pick(seeder.known("Campaign") or [None], empty=0.6),
        "Description": batch.pick(words.NOTES, empty=0.5),
        "IsClosed": [int(str(stage).startswith("Closed")) for stage in stages],
        "IsWon": [int(stage == "Closed Won") for stage in stages],
    }


def _leads(batch: Batch, _seeder: Seeder) -> Columns:
    return {
        **_person(batch),
        **address(batch, ""),
        "Company": _companies(batch),
        "Status": batch.pick(("Open - Not Contacted", "Working - Contacted", "Closed - Not Converted")),
        "Industry": batch.pick(INDUSTRIES, empty=0.2),
        "Rating": batch.pick(RATINGS, empty=0.3),
        "NumberOfEmployees": batch.pick(range(1, 400), empty=0.3),
    }


def _cases(batch: Batch, seeder: Seeder) -> Columns:
    statuses = batch.pick(("New", "Working", "Escalated", "Closed"))
    return {
        "CaseNumber": batch.numbered("%08d"),
        "AccountId": batch.pick(seeder.known("Account"), empty=0.1),
        "ContactId": batch.pick(seeder.known("Contact"), empty=0.2),
        "Type": batch.pick(("Mechanical", "Electrical", "Other"), empty=0.3),
        "Status": statuses,
        "Origin": batch.pick(("Phone", "Email", "Web")),
        "Subject": batch.pick(words.SUBJECTS),
        "Priority": batch.pick(("High", "Medium", "Low")),
        "Description": batch.pick(words.NOTES, empty=0.3),
        "IsClosed": [int(status == "Closed") for status in statuses],
    }


def _tasks(batch: Batch, seeder: Seeder) -> Columns:
    statuses = batch.pick(("Not Started", "In Progress", "Completed", "Deferred"))
    about, priorities = _activity(batch, seeder), batch.pick(("High", "Normal", "Low"))
    return {
        **about,
        "Status": statuses,
        "Priority": priorities,
        "IsHighPriority": [int(priority == "High") for priority in priorities],
        "IsClosed": [int(status == "Completed") for status in statuses],
        "CallDurationInSeconds": batch.pick(range(20, 900), empty=0.7),
    }


def _events(batch: Batch, seeder: Seeder) -> Columns:
    about = _activity(batch, seeder)
    minutes = batch.pick((30, 60, 90))
    places = batch.pick(("Board room", "Online", "Café"), empty=0.4)
    return {
        **about,
        "Location": places,
        "StartDateTime": [f"{day}T09:00:00.000+0000" for day in about["ActivityDate"]],
        "EndDateTime": [
            f"{day}T{9 + minute // 60:02}:{minute % 60:02}:00.000+0000"
            for day, minute in zip(about["ActivityDate"], cast("list[int]", minutes), strict=True)
        ],
        "DurationInMinutes": minutes,
    }


def _activity(batch: Batch, seeder: Seeder) -> Columns:
    return {
        "WhoId": batch.pick(seeder.known("Contact") + seeder.known("Lead"), empty=0.1),
        "WhatId": batch.pick(seeder.known("Account") + seeder.known("Opportunity"), empty=0.3),
        "Subject": batch.pick(words.SUBJECTS),
        "ActivityDate": seeder.dates.day(batch, 0, 800),
        "Description": batch.pick(words.NOTES, empty=0.6),
    }


def _campaigns(batch: Batch, seeder: Seeder) -> Columns:
    return {
        "Name": batch.numbered("Spring Campaign %d"),
        "Type": batch.pick(("Conference", "Webinar", "Email")),
        "Status": batch.pick(("Planned", "In Progress", "Completed")),
        "StartDate": seeder.dates.day(batch, 0, 700),
        "IsActive": batch.chance(0.5),
    }


def _products(batch: Batch, _seeder: Seeder) -> Columns:
    products = [words.PRODUCTS[number - 1] for number in batch.numbers]
    return {
        "Name": [name for name, _ in products],
        "Family": [family for _, family in products],
        "ProductCode": batch.numbered("P-%03d"),
        "IsActive": repeat(1),
        "Description": batch.pick(words.NOTES, empty=0.5),
    }


def _pricebooks(_batch: Batch, _seeder: Seeder) -> Columns:
    return {"Name": ["Standard Price Book"], "IsActive": [1], "IsStandard": [1]}


def _pricebook_entries(batch: Batch, seeder: Seeder) -> Columns:
    return {
        "Name": [words.PRODUCTS[number - 1][0] for number in batch.numbers],
        "Pricebook2Id": repeat(seeder.known("Pricebook2")[0]),
        "ProductCode": batch.numbered("P-%03d"),
        "Product2Id": seeder.known("Product2"),
        "UnitPrice": [number * 49.5 for number in batch.numbers],
        "IsActive": repeat(1),
    }


def _line_items(batch: Batch, seeder: Seeder) -> Columns:
    products = batch.random.choices(range(len(seeder.known("Product2"))), k=len(batch.numbers))
    quantities = [float(number % 9 + 1) for number in batch.numbers]
    prices = [(place + 1) * 49.5 for place in products]
    return {
        "OpportunityId": batch.pick(seeder.known("Opportunity")),
        "Product2Id": [seeder.known("Product2")[place] for place in products],
        "PricebookEntryId": [seeder.known("PricebookEntry")[place] for place in products],
        "Name": [words.PRODUCTS[place][0] for place in products],
        "Quantity": quantities,
        "UnitPrice": prices,
        "TotalPrice": [count * price for count, price in zip(quantities, prices, strict=True)],
    }


def _contact_roles(batch: Batch, seeder: Seeder) -> Columns:
    return {
        "OpportunityId": batch.pick(seeder.known("Opportunity")),
        "ContactId": batch.pick(seeder.known("Contact")),
        "Role": batch.pick(("Business User", "Decision Maker", "Evaluator"), empty=0.2),
        "IsPrimary": batch.chance(0.3),
    }


def _campaign_members(batch: Batch, seeder: Seeder) -> Columns:
    statuses = batch.pick(("Sent", "Responded"))
    return {
        "CampaignId": batch.pick(seeder.known("Campaign")),
        "ContactId": batch.pick(seeder.known("Contact")),
        "Status": statuses,
        "HasResponded": [int(status == "Responded") for status in statuses],
    }


def _projects(batch: Batch, seeder: Seeder) -> Columns:
    places = batch.random.choices(words.PLACES, k=len(batch.numbers))
    return {
        "Name": [f"{name} {n}" for name, n in zip(batch.pick(words.PROJECTS), batch.numbers, strict=True)],
        "Account__c": batch.pick(seeder.known("Account"), empty=0.1),
        "Lead_Contact__c": batch.pick(seeder.known("Contact"), empty=0.2),
        "Status__c": batch.pick(("planned", "running", "on_hold", "done")),
        "Skills__c": batch.pick([*SKILLS, ";".join(SKILLS[:3]), ";".join(SKILLS[1:])], empty=0.2),
        "Budget__c": batch.pick([float(size * 500) for size in range(1, 300)], empty=0.1),
        "Start_Date__c": seeder.dates.day(batch, 0, 300),
        "End_Date__c": seeder.dates.day(batch, 300, 900),
        "Billable__c": batch.chance(0.8),
        "Place__Latitude__s": [place[4] for place in places],
        "Place__Longitude__s": [place[5] for place in places],
        "Summary__c": batch.pick(words.NOTES, empty=0.4),
    }


def _milestones(batch: Batch, seeder: Seeder) -> Columns:
    return {
        "Name": [counted("M-{00000}", number) for number in batch.numbers],
        "Project__c": batch.pick(seeder.known("Project__c")),
        "Title__c": batch.pick(("Kick-off", "Design", "First delivery", "Acceptance")),
        "Due_Date__c": seeder.dates.day(batch, 0, 900),
        "Reached__c": batch.chance(0.4),
        "Effort__c": batch.pick([days / 2 for days in range(1, 60)], empty=0.2),
    }
