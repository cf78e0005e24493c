"""No statement speaks of every resource without saying why."""

import re

import pytest
import template as templates

FILES = [templates.MAIN, *templates.NESTED.values(), templates.SFTP, templates.SFTP_USER]
REASON = re.compile(r'Resource: "\*" # reason: \S+')


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_wildcard_resource_has_a_reason(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if re.search(r"""Resource:.*(["']\*["']|\s\*\s*$)""", line):
            assert REASON.search(line), f"{path.name}:{number} needs a reason"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_reasonless_wildcard_hides_from_the_line_search(path):
    """Counts wildcards in the parsed template: a list or another layout would escape the search above."""

    def wildcards(node) -> int:
        if isinstance(node, dict):
            own = node.get("Resource")
            here = (own if isinstance(own, list) else [own]).count("*")
            return here + sum(wildcards(value) for value in node.values())
        if isinstance(node, list):
            return sum(wildcards(value) for value in node)
        return 0

    reasons = REASON.findall(path.read_text(encoding="utf-8"))
    assert wildcards(templates.load(path)) == len(reasons)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_roles_have_no_inline_policy_and_identity_policies_no_wildcard(path):
    template = templates.load(path)
    assert not templates.resources(template, "AWS::IAM::Policy")
    for name, policy in templates.resources(template, "AWS::IAM::ManagedPolicy").items():
        for statement in policy["PolicyDocument"]["Statement"]:
            assert statement["Resource"] != "*", name
