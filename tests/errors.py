"""Reading of error responses."""

from crm.error_codes import ErrorCode


def errors_of(response):
    """Return the texts of an error response by the field or parameter that each is about, in order."""
    texts = {}
    for error in _read(response):
        texts.setdefault(error["attr"], []).append(error["detail"])
    return texts


def codes_of(response):
    """Return the codes of an error response by the field or parameter that each is about, in order."""
    codes = {}
    for error in _read(response):
        codes.setdefault(error["attr"], []).append(error["code"])
    return codes


def code_of(response):
    """Return the only error's code."""
    [error] = _read(response)
    return error["code"]


def detail_of(response):
    """Return the only error's text."""
    [error] = _read(response)
    return error["detail"]


def existing_of(response):
    """Return the id of the row that has the value of the only error; None if the error names none."""
    [error] = _read(response)
    return error.get("existing")


def _read(response):
    """Return the errors of a response in the API's only shape, each with a documented code of its status."""
    body = response.json()
    kinds = {"server_error"} if response.status_code >= 500 else {"client_error", "validation_error"}
    assert body["type"] in kinds, body
    assert body["errors"], body
    for error in body["errors"]:
        assert error.keys() - {"existing"} == {"code", "detail", "attr"}, body
        assert ErrorCode(error["code"]).status == response.status_code, body
    return body["errors"]
