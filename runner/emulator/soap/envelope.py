"""SOAP 1.1 envelopes of the partner API: what a call says, and what it is answered."""

from __future__ import annotations

from starlette.responses import Response

from runner.emulator.errors import ApiError
from runner.emulator.xml import DECLARATION, SCHEMA_INSTANCE, Element, InvalidXml, escape, leaf, parse

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
PARTNER = "urn:partner.soap.sforce.com"
OBJECTS = "urn:sobject.partner.soap.sforce.com"
FAULTS = "urn:fault.partner.soap.sforce.com"

_FAULT_NAMES = {
    "INVALID_LOGIN": "LoginFault",
    "MALFORMED_QUERY": "MalformedQueryFault",
    "INVALID_FIELD": "InvalidFieldFault",
    "INVALID_TYPE": "InvalidSObjectFault",
    "INVALID_QUERY_LOCATOR": "InvalidQueryLocatorFault",
    "MALFORMED_ID": "InvalidIdFault",
}


def read(body: bytes) -> tuple[Element, Element]:
    """The header of an envelope, and the call in its body. Raises ApiError."""
    try:
        root = parse(body)
    except InvalidXml as exc:
        raise ApiError("UNKNOWN_EXCEPTION", str(exc)) from exc
    found = root.child("Body")
    if root.name != "Envelope" or found is None or not found.children:
        raise ApiError("UNKNOWN_EXCEPTION", "An envelope with one call in its body is expected")
    return root.child("Header") or Element(name="Header"), found.children[0]


def answer(call: str, results: list[str]) -> Response:
    """The results of a call, each the inside of a `result` element."""
    inside = "".join(f"<result>{result}</result>" for result in results)
    return _envelope(f"<{call}Response>{inside}</{call}Response>", 200)


def fault(exc: ApiError) -> Response:
    name = _FAULT_NAMES.get(exc.code, "UnexpectedErrorFault")
    message = exc.message.strip()
    detail = leaf("sf:exceptionCode", exc.code) + leaf("sf:exceptionMessage", message)
    return _envelope(
        f"<soapenv:Fault><faultcode>sf:{escape(exc.code)}</faultcode>"
        f"<faultstring>{escape(f'{exc.code}: {message}')}</faultstring>"
        f'<detail><sf:{name} xsi:type="sf:{name}">{detail}</sf:{name}></detail></soapenv:Fault>',
        500,
    )


def _envelope(inside: str, status: int) -> Response:
    names = (
        f'xmlns:soapenv="{ENVELOPE}" xmlns="{PARTNER}" xmlns:sf="{OBJECTS if status == 200 else FAULTS}" '
        f'xmlns:xsi="{SCHEMA_INSTANCE}"'
    )
    text = f"{DECLARATION}<soapenv:Envelope {names}><soapenv:Body>{inside}</soapenv:Body></soapenv:Envelope>"
    return Response(text, status, media_type="text/xml; charset=UTF-8")
