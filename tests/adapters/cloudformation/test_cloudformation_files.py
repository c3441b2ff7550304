"""What the files say, and how it is told where they say nonsense: settings, templates, deployment files, packages."""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest
from queue_stack import QUEUE, plain

from adapters.cloudformation import deployment
from adapters.cloudformation.adapter import build
from adapters.cloudformation.attributes import pointed
from adapters.cloudformation.packaging import archive, package
from adapters.cloudformation.settings import read
from adapters.cloudformation.template import TemplateUnreadable
from adapters.cloudformation.template import read as read_template
from adapters.conformance import MemoryTree
from adapters.contract import Goal, Input, InvalidSettings, Severity
from adapters.scripted import ForbiddingShell

if TYPE_CHECKING:
    from conftest import AwsRig

FUNCTION = """\
Resources:
  Work:
    Type: AWS::Lambda::Function
    Properties: {Code: %s, Handler: index.main}
"""
INCLUDES = """\
Transform:
  - {Name: 'AWS::Include', Parameters: {Location: parts/top.yaml}}
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      Fn::Transform: {Name: AWS::Include, Parameters: {Location: ../shared/queue.yaml}}
      Tags:
        - Key: a
          Value: !Transform {Name: AWS::Include, Parameters: {Location: parts/tag.yaml}}
  Elsewhere:
    Type: AWS::SQS::Queue
    Properties:
      Fn::Transform: {Name: AWS::Include, Parameters: {Location: 's3://elsewhere/x.yaml'}}
  Told:
    Type: AWS::SQS::Queue
    Properties:
      Fn::Transform: {Name: AWS::Include, Parameters: {Location: !Ref Place}}
  Other:
    Type: AWS::SQS::Queue
    Properties:
      Fn::Transform: {Name: Acme::Include, Parameters: {Location: parts/none.yaml}}
"""
NESTED = """\
Resources:
  Inner:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: ../../shared/inner.yaml
  Queue:
    Type: AWS::SQS::Queue
"""


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"regoin": "eu-central-1"}, 'no setting "regoin"'),
        ({"region": "Frankfurt"}, "region is 'Frankfurt'"),
        ({"region": 7}, "region must be a text"),
        ({"stack_name": "1st"}, "stack_name is '1st'"),
        ({"stack_name": "a_b"}, "stack_name is 'a_b'"),
        ({"stack_name": "a" * 129}, "stack_name is"),
        ({"capabilities": "CAPABILITY_IAM"}, "capabilities must be a list"),
        ({"capabilities": ["IAM"]}, 'there is no "IAM"'),
        ({"role_arn": "admin"}, "role_arn is 'admin'"),
        ({"notification_arns": ["topic"]}, "'topic' is no ARN"),
        ({"notification_arns": [f"arn:aws:sns:x:1:t{number}" for number in range(6)]}, "6 are too many"),
        ({"tags": ["a"]}, "tags must be a mapping"),
        ({"tags": {"aws:x": "y"}}, 'the tag "aws:x" is refused'),
        ({"tags": {str(number): "x" for number in range(51)}}, "51 tags, 50 at most"),
        ({"template": "../../../x.yaml"}, "leaves the repository"),
        ({"deployment": "/etc/passwd"}, "leaves the repository"),
        ({"termination_protection": "yes"}, "termination_protection must be true or false"),
        ({"bucket": "No_Bucket"}, "bucket is 'No_Bucket'"),
        ({"tool": "terraform"}, 'does not drive "terraform"'),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(settings: dict[str, object], says: str) -> None:
    with pytest.raises(InvalidSettings) as refused:
        read({"path": "stacks/web", **settings})  # type: ignore[dict-item]
    assert says in refused.value.message
    assert "\n" not in refused.value.message


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("Resources: [\n", 2, "expected"),
        ("A: 1\nA: 2\n", 2, "twice"),
        ("- a\n", 1, "mapping"),
        ("", 1, "mapping"),
        ("? [a]\n: b\n", 1, "a key must be a text"),
        ('{"Resources": {\n  "A": }\n', 2, "no JSON"),
        ("A: *nothing\n", 1, "undefined alias"),
        ("A: \x07\n", 1, "no YAML"),
        ("A: " + "[" * 100_000, 1, "nested too deep"),
        ("a: &a [*a]\n", 1, "YAML"),
        ("a: &a [1,1,1,1,1,1,1,1]\n" + "".join(f"{k}: &{k} [{','.join([f'*{p}'] * 9)}]\n" for p, k in zip("abcdefg", "bcdefgh", strict=True)), 1, "expand without end"),
    ],
)  # fmt: skip
def test_a_template_that_cannot_be_read_is_told_by_its_line(text: str, line: int, says: str) -> None:
    with pytest.raises(TemplateUnreadable) as refused:
        read_template(text)
    assert says in refused.value.message
    assert refused.value.line == line
    assert "\n" not in refused.value.message


def test_short_forms_are_the_long_ones_and_versions_stay_texts() -> None:
    found = read_template(
        "AWSTemplateFormatVersion: 2010-09-09\n"
        "Resources:\n"
        "  A:\n"
        "    Type: T::T::T\n"
        "    Properties:\n"
        "      B: !GetAtt X.Arn.More\n"
        "      C: !Join [',', [!Ref Y, !Sub '${Z}-z']]\n"
        "      D: !If [On, 012, yes]\n"
    )
    assert found.body["AWSTemplateFormatVersion"] == "2010-09-09"
    properties = found.resources["A"]["Properties"]
    assert properties["B"] == {"Fn::GetAtt": ["X", "Arn.More"]}
    assert properties["C"] == {"Fn::Join": [",", [{"Ref": "Y"}, {"Fn::Sub": "${Z}-z"}]]}
    assert found.line("Resources", "A", "Properties", "C") == 7
    assert found.line("Resources", "A", "Properties", "None") == 5


def test_a_json_template_keeps_its_lines_and_its_tabs() -> None:
    found = read_template('{\n\t"Resources": {\n\t\t"A": {"Type": "T::T::T"}\n\t}\n}\n')
    assert found.line("Resources", "A") == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("template-file-path: [x]\n", "d.yaml:1: template-file-path must be a text"),
        ("tags: {}\ntemplate_file_path: x\n", 'd.yaml:2: AWS Git sync knows no "template_file_path"'),
        ("parameters:\n  a: {b: c}\n", 'd.yaml:2: the parameter "a" must be one value'),
        ("parameters: [a]\n", "d.yaml:1: parameters must be a mapping"),
        ("a: [\n", "d.yaml:2: "),
        ("- a\n", "d.yaml:1: a deployment file is a mapping"),
        ("template-file-path: ../x.yaml\n", "leaves the repository"),
    ],
)
def test_a_deployment_file_that_makes_no_sense_is_told_by_its_line(text: str, says: str) -> None:
    with pytest.raises(InvalidSettings) as refused:
        deployment.read(text, PurePosixPath("d.yaml"))
    assert says in refused.value.message


def test_a_deployment_file_of_git_sync_is_read_unchanged_and_the_stack_has_the_last_word(rig: AwsRig) -> None:
    subject = plain(rig, apply=False, deployment="prod.yaml", tags={"team": "web"})
    subject.template.rename(subject.write("shared/queue.yaml", ""))
    subject.write(
        "stacks/web/prod.yaml",
        "template-file-path: shared/queue.yaml\nparameters:\n  Wait: 50\n  Label: told\ntags:\n  team: none\n  cost: 7\n",
    )
    subject.inputs = {"Wait": Input(value=60)}
    subject.apply()
    stack = subject.stack()
    assert stack is not None
    assert {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]} == {
        "Wait": "60",
        "Label": "told",
    }
    assert {one["Key"]: one["Value"] for one in stack["Tags"]} == {"team": "web", "cost": "7"}
    found = build(subject.settings, ForbiddingShell()).inputs(MemoryTree.of(subject.workspace.root))
    assert found == {PurePosixPath("shared/queue.yaml")}


def test_what_a_stack_reads_outside_its_folder_is_found_in_the_tree_alone(rig: AwsRig) -> None:
    subject = plain(rig, NESTED, apply=False)
    subject.write("shared/inner.yaml", FUNCTION % "code/")
    subject.write("shared/code/index.py", "")
    found = build(subject.settings, ForbiddingShell()).inputs(MemoryTree.of(subject.workspace.root))
    assert found == {PurePosixPath("shared/inner.yaml"), PurePosixPath("shared/code")}


def test_the_same_files_make_the_same_archive(tmp_path: Path) -> None:
    for name, when in (("one", 1), ("two", 2_000_000_000)):
        folder = tmp_path / name
        (folder / "in").mkdir(parents=True)
        for file in ("b.py", "in/a.py")[:: 1 if name == "one" else -1]:
            (folder / file).write_text(file)
            os.utime(folder / file, (when, when))
    one, two = archive(tmp_path / "one"), archive(tmp_path / "two")
    assert one == two
    assert zipfile.ZipFile(io.BytesIO(one)).namelist() == ["b.py", "in/a.py"]


@pytest.mark.parametrize(
    ("code", "settings", "says"),
    [
        ("src", {}, "template.yaml:4: src must be uploaded, and no bucket is named"),
        ("srx", {"bucket": "artifacts"}, "template.yaml:4: there is no srx"),
        ("../src", {"bucket": "artifacts"}, "leaves the repository"),
    ],
)
def test_a_file_that_cannot_be_packaged_is_told_by_its_line(
    tmp_path: Path, code: str, settings: dict[str, str], says: str
) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "template.yaml").write_text(FUNCTION % code)
    with pytest.raises(InvalidSettings) as refused:
        package(tmp_path, PurePosixPath("template.yaml"), read(settings), region="eu-central-1")
    assert says in refused.value.message


def test_files_that_a_template_includes_are_uploaded_by_their_digest_wherever_they_are_named(tmp_path: Path) -> None:
    file = PurePosixPath("web/template.yaml")
    for name in ("web/parts/top.yaml", "web/parts/tag.yaml", "shared/queue.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"# {name}\n")
    (tmp_path / file).write_text(INCLUDES)
    _, made = package(tmp_path, file, read({"path": "web", "bucket": "artifacts"}), region="eu-central-1")
    keys = {content.decode(): f"s3://artifacts/{key}" for key, content in made.uploads.items()}
    body = json.loads(made.text)
    places = [
        body["Transform"][0],
        body["Resources"]["Queue"]["Properties"]["Fn::Transform"],
        body["Resources"]["Queue"]["Properties"]["Tags"][0]["Value"]["Fn::Transform"],
    ]
    assert [one["Parameters"]["Location"] for one in places] == [
        keys["# web/parts/top.yaml\n"],
        keys["# shared/queue.yaml\n"],
        keys["# web/parts/tag.yaml\n"],
    ]
    resources = read_template(INCLUDES).body["Resources"]
    assert all(body["Resources"][name] == resources[name] for name in ("Elsewhere", "Told", "Other"))
    found = build({"path": "web"}, ForbiddingShell()).inputs(MemoryTree.of(tmp_path))
    assert found == {PurePosixPath("shared/queue.yaml")}


def test_an_included_file_that_is_not_there_is_told_by_its_line(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(INCLUDES)
    with pytest.raises(InvalidSettings, match=r"template\.yaml:2: there is no parts/top\.yaml"):
        package(tmp_path, PurePosixPath("template.yaml"), read({"bucket": "artifacts"}), region="eu-central-1")


def test_a_template_that_nests_itself_comes_to_an_end(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(NESTED.replace("../../shared/inner.yaml", "template.yaml"))
    with pytest.raises(InvalidSettings, match="nested too deep"):
        package(tmp_path, PurePosixPath("template.yaml"), read({"bucket": "artifacts"}), region="eu-central-1")


def test_a_nested_template_elsewhere_is_planned_too_and_not_fetched_only_by_the_apply(tmp_path: Path) -> None:
    text = NESTED.replace("../../shared/inner.yaml", "https://elsewhere.s3.amazonaws.com/inner.yaml")
    (tmp_path / "template.yaml").write_text(text)
    _, made = package(tmp_path, PurePosixPath("template.yaml"), read({}), region="eu-central-1")
    assert (made.nested, made.text, dict(made.uploads)) == (True, text, {})


def test_a_template_too_large_to_be_sent_is_sent_by_way_of_the_bucket(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(QUEUE + "#" * 60_000)
    with pytest.raises(InvalidSettings, match="51200 bytes"):
        package(tmp_path, PurePosixPath("template.yaml"), read({}), region="eu-central-1")
    _, made = package(tmp_path, PurePosixPath("template.yaml"), read({"bucket": "art.ifacts"}), region="cn-north-1")
    (key,) = made.uploads
    assert made.url == f"https://s3.cn-north-1.amazonaws.com.cn/art.ifacts/{key}"
    (tmp_path / "template.yaml").write_text(QUEUE + "#" * 1_100_000)
    with pytest.raises(InvalidSettings, match="1048576 at most"):
        package(tmp_path, PurePosixPath("template.yaml"), read({"bucket": "artifacts"}), region="")


def test_nested_templates_are_uploaded_once_and_by_their_digest(rig: AwsRig) -> None:
    bucket = f"artifacts-{rig.fresh().name}"
    s3 = rig.account.client("s3")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    subject = plain(rig, NESTED, apply=False, bucket=bucket, bucket_prefix="deep/down")
    subject.write("shared/inner.yaml", QUEUE.replace("${AWS::StackName}", subject.name))
    subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    (first,) = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert first["Key"].startswith("deep/down/")
    assert first["Key"].endswith(".template")
    subject.adapter.apply(subject.workspace, subject.adapter.plan(subject.workspace, Goal.CONVERGE))
    (again,) = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert again["LastModified"] == first["LastModified"]
    assert subject.queue("queue")


def test_a_bucket_that_is_not_there_is_told_in_one_line(rig: AwsRig) -> None:
    subject = plain(rig, NESTED, apply=False, bucket="nobodys-bucket")
    subject.write("shared/inner.yaml", QUEUE)
    with pytest.raises(Exception, match="cannot be put into nobodys-bucket") as failed:
        subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    assert "\n" not in str(failed.value)


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("!Ref Wait", "!Ref Wiat", 9, 'there is no "Wiat" to refer to; did you mean "Wait"?'),
        ("    Type: AWS::SQS::Queue\n", "", 5, 'the resource "Queue" has no Type'),
        ("Resources:", "Resuorces:", 1, "a template needs at least one resource"),
        ("Type: AWS::SQS::Queue", "Type: Queue", 1, "Unrecognized resource types"),
    ],
)
def test_what_is_wrong_with_a_template_is_a_problem_with_its_line(
    rig: AwsRig, old: str, new: str, line: int, says: str
) -> None:
    subject = plain(rig, QUEUE.replace(old, new), apply=False)
    (found,) = subject.adapter.validate(subject.workspace)
    assert (found.severity, found.file, found.line) == (Severity.ERROR, "stacks/web/template.yaml", line)
    assert says in found.summary


@pytest.mark.needs("cfn-lint")
def test_cfn_lint_is_asked_where_it_is_installed(rig: AwsRig) -> None:
    subject = plain(rig, QUEUE.replace("QueueName:", "QueueNme:"), apply=False, lint=True)
    found = [one for one in subject.adapter.validate(subject.workspace) if one.severity is Severity.ERROR]
    assert [(one.file, one.line, one.summary.partition(":")[0]) for one in found] == [
        ("stacks/web/template.yaml", 8, "E3002")
    ]


@pytest.mark.parametrize(
    ("pointer", "path"),
    [("/Tags/0/Value", ("Tags", 0, "Value")), ("/Properties/A~1B", ("A/B",)), ("/Properties", ("Properties",))],
)
def test_the_services_paths_are_read(pointer: str, path: tuple[str | int, ...]) -> None:
    assert pointed(pointer) == path


@pytest.mark.parametrize(
    ("environment", "name"), [("default", "web"), ("prod", "web-prod"), ("eu_west", "web-eu-west")]
)
def test_a_stack_without_a_name_is_named_after_stack_and_environment(rig: AwsRig, environment: str, name: str) -> None:
    from adapters.cloudformation.settings import stack_name  # noqa: PLC0415 - beside what it is about

    subject = rig.fresh()
    subject.environment = environment
    assert stack_name(read({}), subject.workspace) == name
