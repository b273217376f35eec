"""Holds what `shelflife compile` writes to the tools that it is written for.

    check.py STATE FOLDER...

A folder has BUCKET.json and BUCKET.xml for each bucket with rules, module.tf, template.json, and
iam-*.json; what is wrong is printed with the folder and the file. The JSON is held to botocore's model of the API, and all other forms must say the same
as the JSON does. The tools are installed into STATE at the first run, as LocalStack is.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import warnings
import xml.etree.ElementTree as ElementTree
from pathlib import Path

HERE = Path(__file__).resolve().parent
NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"
problems = []


def wrong(path, what):
    problems.append(f"{path.parent.name}/{path.name}: {what}")


def in_the_environment(state):
    """Goes on in an environment that has the tools, which is made if it is not there."""
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(HERE.parent.parent / "localstack"))
    import instance
    try:
        state.mkdir(parents=True, exist_ok=True)
        with instance.exclusive(state):
            python = instance.install_pins(state, "the checkers of compile", HERE / "pins.txt")
    except instance.Failure as failure:
        sys.exit(f"{failure}")
    os.execv(python, [python, "-I", __file__, *sys.argv[1:], "--installed"])


# --- JSON, by botocore's model of the API ---

def model():
    import botocore.session
    service = botocore.session.get_session().get_service_model("s3")
    operation = service.operation_model("PutBucketLifecycleConfiguration")
    return operation.input_shape.members["LifecycleConfiguration"]


def enums(shape, value, at):
    """What botocore itself leaves to the service."""
    if shape.type_name == "structure":
        for name, inner in value.items():
            if name in shape.members:
                yield from enums(shape.members[name], inner, f"{at}.{name}")
    elif shape.type_name == "list":
        for inner in value:
            yield from enums(shape.member, inner, at)
    elif getattr(shape, "enum", None) and value not in shape.enum:
        yield f"{at} is {value!r}, not one of {shape.enum}"


def check_json(path, shape):
    from botocore.validate import ParamValidator
    text = path.read_text()
    document = json.loads(text)
    report = ParamValidator().validate(document, shape)
    if report.has_errors():
        wrong(path, report.generate_report())
    for problem in enums(shape, document, path.stem):
        wrong(path, problem)
    check_format(path, text, document)
    return document.get("Rules", [])


def check_format(path, text, document):
    """Two spaces, and escapes where a formatter that keeps to ASCII would have them, at most."""
    ascii_only = re.sub(r"[^\x00-\x7e]", lambda c: json.dumps(c[0])[1:-1], text)
    if ascii_only != json.dumps(document, indent=2).replace("\x7f", "\\u007f") + "\n":
        wrong(path, "is not formatted with two spaces")


# --- XML, by the same model ---

def from_xml(element, shape, path):
    if shape.type_name == "structure":
        if (element.text or "").strip():
            wrong(path, f"text in <{element.tag}>")
        value = {}
        for child in element:
            name = child.tag.removeprefix(NAMESPACE)
            found = [
                (member, inner) for member, inner in shape.members.items()
                if name == (inner.serialization.get("name", member))
            ]
            if not found or not child.tag.startswith(NAMESPACE):
                wrong(path, f"<{child.tag}> is not known in <{element.tag}>")
                continue
            member, inner = found[0]
            if inner.type_name == "list":
                value.setdefault(member, []).append(from_xml(child, inner.member, path))
            elif member in value:
                wrong(path, f"<{name}> stands twice")
            else:
                value[member] = from_xml(child, inner, path)
        for member in shape.required_members:
            if member not in value:
                wrong(path, f"<{element.tag}> has no {member}")
        return value
    text = element.text or ""
    match shape.type_name:
        case "integer" | "long":
            return int(text)
        case "boolean":
            return {"true": True, "false": False}[text]
        case "timestamp":
            return date(text)
        case _:
            return text


def check_xml(path, shape, rules):
    text = path.read_text()
    root = ElementTree.fromstring(text)
    if root.tag != NAMESPACE + "LifecycleConfiguration":
        wrong(path, f"begins with <{root.tag}>")
    if "Made by shelflife" not in text or "policy sha256:" not in text:
        wrong(path, "does not say where it comes from")
    found = from_xml(root, shape, path).get("Rules", [])
    same(path, [canonical(rule) for rule in found], rules)


# --- what all forms are brought to ---

def date(text):
    return text.removesuffix("Z").removesuffix(".000")


def canonical(rule):
    """A rule of the API in one form, whatever stands in an `And`."""
    members = dict(rule.get("Filter", {}))
    members.update(members.pop("And", {}))
    tags = members.pop("Tags", []) + ([members.pop("Tag")] if "Tag" in members else [])
    expiration = dict(rule.get("Expiration", {}))
    if "Date" in expiration:
        expiration["Date"] = date(expiration["Date"])
    transitions = [
        {name: date(value) if name == "Date" else value for name, value in it.items()}
        for it in rule.get("Transitions", [])
    ]
    return {
        "id": rule.get("ID"),
        "status": rule["Status"],
        "prefix": members.get("Prefix", ""),
        "tags": sorted((tag["Key"], tag["Value"]) for tag in tags),
        "over": members.get("ObjectSizeGreaterThan"),
        "under": members.get("ObjectSizeLessThan"),
        "expiration": expiration,
        "transitions": transitions,
        "noncurrent": rule.get("NoncurrentVersionExpiration", {}),
        "noncurrent-transitions": rule.get("NoncurrentVersionTransitions", []),
        "abort": rule.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation"),
    }


def same(path, found, expected):
    for one, other in zip(found, expected):
        for name in one:
            if one[name] != other[name]:
                wrong(path, f"{name} of {other['id']} is {one[name]!r}, and {other[name]!r} in the JSON")
    if len(found) != len(expected):
        wrong(path, f"has {len(found)} rules, and the JSON {len(expected)}")


# --- Terraform, by an HCL parser and the provider's schema ---

def unquoted(text):
    """What a quoted HCL string without templates means."""
    if not (text.startswith('"') and text.endswith('"')):
        raise ValueError(f"{text} is not quoted")
    escapes = r'\\u([0-9a-f]{4})|\\U([0-9a-f]{8})|\\(.)|([$%])\4\{|([$%]\{)|(")'

    def meant(match):
        short, long, single, doubled, template, quote = match.groups()
        if template or quote:
            raise ValueError(f"{text} has a template or a quote in it")
        if short or long:
            return chr(int(short or long, 16))
        if single:
            return {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}[single]
        return doubled + "{"

    return re.sub(escapes, meant, text[1:-1])


def value_of(value, kind):
    match kind:
        case "string":
            return unquoted(value)
        case "number" if isinstance(value, int) and not isinstance(value, bool):
            return value
        case "bool" if isinstance(value, bool):
            return value
        case "map" if isinstance(value, dict):
            return {unquoted(key): unquoted(inner) for key, inner in value.items()}
    raise ValueError(f"{value!r} is no {kind}")


def read_block(path, schema, name, block):
    """A block by the provider's schema: attributes as values, blocks as lists."""
    known, read = schema[name], {}
    members = {key: value for key, value in block.items() if not key.startswith("__")}
    for key, value in members.items():
        if key in known["blocks"]:
            read[key] = [read_block(path, schema, key, inner) for inner in value]
        elif key in known["attributes"]:
            asked = known["attributes"][key]
            try:
                read[key] = value_of(value, asked["type"])
            except ValueError as error:
                wrong(path, f"{name}.{key}: {error}")
                continue
            if read[key] not in asked.get("one-of", [read[key]]):
                wrong(path, f"{name}.{key} is {read[key]!r}")
            if "least" in asked and read[key] < asked["least"]:
                wrong(path, f"{name}.{key} is {read[key]}")
            if "longest" in asked and len(read[key]) > asked["longest"]:
                wrong(path, f"{name}.{key} is too long")
        else:
            wrong(path, f"{name} knows no {key}")
    for key, asked in known["attributes"].items():
        if asked.get("required") and key not in read:
            wrong(path, f"{name} has no {key}")
    for key, asked in known["blocks"].items():
        if not asked.get("least", 0) <= len(read.get(key, [])) <= asked.get("most", 1000):
            wrong(path, f"{name} has {len(read.get(key, []))} blocks {key}")
    if known.get("exactly-one") and len(members) != 1 or known.get("at-most-one") and len(members) > 1:
        wrong(path, f"{name} has {', '.join(members) or 'nothing'}")
    return read


def from_terraform(rule):
    filters = dict(rule["filter"][0])
    for and_ in filters.pop("and", []):
        filters.update(and_)
    tags = list(filters.get("tags", {}).items()) + [(tag["key"], tag["value"]) for tag in filters.get("tag", [])]
    names = {"days": "Days", "date": "Date", "storage_class": "StorageClass", "noncurrent_days": "NoncurrentDays",
             "newer_noncurrent_versions": "NewerNoncurrentVersions",
             "expired_object_delete_marker": "ExpiredObjectDeleteMarker"}

    def renamed(block):
        return {names[key]: date(value) if key == "date" else value for key, value in block.items()}

    def only(name):
        return renamed(rule[name][0]) if name in rule else {}

    abort = rule.get("abort_incomplete_multipart_upload")
    return {
        "id": rule["id"],
        "status": rule["status"],
        "prefix": filters.get("prefix", ""),
        "tags": sorted(tags),
        "over": filters.get("object_size_greater_than"),
        "under": filters.get("object_size_less_than"),
        "expiration": only("expiration"),
        "transitions": [renamed(it) for it in rule.get("transition", [])],
        "noncurrent": only("noncurrent_version_expiration"),
        "noncurrent-transitions": [renamed(it) for it in rule.get("noncurrent_version_transition", [])],
        "abort": abort[0]["days_after_initiation"] if abort else None,
    }


def check_terraform(path, rules):
    import hcl2
    text = path.read_text()
    schema = json.loads((HERE / "provider.json").read_text())
    document = hcl2.loads(text)
    if "# Made by shelflife" not in text or "# policy sha256:" not in text:
        wrong(path, "does not say where it comes from")
    labels, buckets = set(), set()
    for resource in document.get("resource", []):
        for kind, labelled in resource.items():
            if unquoted(kind) != "aws_s3_bucket_lifecycle_configuration":
                wrong(path, f"a resource {kind}")
                continue
            (label, block), = labelled.items()
            if label in labels or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", unquoted(label)):
                wrong(path, f"the label {label} is none, or stands twice")
            labels.add(label)
            read = read_block(path, schema, "resource", block)
            buckets.add(read["bucket"])
            same(path, [from_terraform(rule) for rule in read["rule"]], rules.get(read["bucket"], []))
    if buckets != set(rules):
        wrong(path, f"is about {sorted(buckets)}, and the JSON about {sorted(rules)}")
    check_with_terraform(path, text)


def check_with_terraform(path, text):
    """Terraform itself, where it is installed: its formatter, and what it reads in each string."""
    terraform = shutil.which("terraform") or shutil.which("tofu")
    if terraform is None:
        print("NOT TESTED with Terraform itself, because it is not installed: format, strings", file=sys.stderr)
        return
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    formatted = subprocess.run([terraform, "fmt", "-"], input=text, text=True, capture_output=True, env=environment)
    if formatted.returncode or formatted.stdout != text:
        wrong(path, f"is not what `terraform fmt` leaves:\n{formatted.stdout or formatted.stderr}")
    quoted = sorted(set(re.findall(r'^ +(?:"(?:[^"\\]|\\.)*" += |\w+ += )?("(?:[^"\\]|\\.)*")', text, re.M)))
    if quoted:
        folder = path.parent / "console"
        folder.mkdir(exist_ok=True)
        asked = f"base64encode(jsonencode([{', '.join(quoted)}]))\n"
        told = subprocess.run([terraform, "console"], input=asked, text=True, capture_output=True, cwd=folder,
                              env=environment)
        import base64
        read = json.loads(base64.b64decode(told.stdout.strip().strip('"'))) if told.returncode == 0 else told.stderr
        if read != [unquoted(text) for text in quoted]:
            wrong(path, f"Terraform reads {read}")


# --- CloudFormation, by cfn-lint ---

def from_cloudformation(rule):
    def transition(it, noncurrent):
        names = {"StorageClass": "StorageClass", "TransitionDate": "Date",
                 "NewerNoncurrentVersions": "NewerNoncurrentVersions",
                 "TransitionInDays": "NoncurrentDays" if noncurrent else "Days"}
        return {names[key]: date(value) if key == "TransitionDate" else value for key, value in it.items()}

    def number(name):
        return int(rule[name]) if name in rule else None

    expiration = {name: rule[key] for key, name in [
        ("ExpirationInDays", "Days"), ("ExpiredObjectDeleteMarker", "ExpiredObjectDeleteMarker")] if key in rule}
    if "ExpirationDate" in rule:
        expiration["Date"] = date(rule["ExpirationDate"])
    return {
        "id": rule["Id"],
        "status": rule["Status"],
        "prefix": rule.get("Prefix", ""),
        "tags": sorted((tag["Key"], tag["Value"]) for tag in rule.get("TagFilters", [])),
        "over": number("ObjectSizeGreaterThan"),
        "under": number("ObjectSizeLessThan"),
        "expiration": expiration,
        "transitions": [transition(it, False) for it in rule.get("Transitions", [])],
        "noncurrent": rule.get("NoncurrentVersionExpiration", {}),
        "noncurrent-transitions": [transition(it, True) for it in rule.get("NoncurrentVersionTransitions", [])],
        "abort": rule.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation"),
    }


def check_cloudformation(path, rules):
    text = path.read_text()
    template = json.loads(text)
    check_format(path, text, template)
    from cfnlint.api import lint_file
    for found in lint_file(path):
        wrong(path, f"cfn-lint: {found}")
    made = template.get("Metadata", {}).get("Shelflife", {})
    if not made.get("Digest") or "shelflife" not in template.get("Description", ""):
        wrong(path, "does not say where it comes from")
    buckets = set()
    for resource in template["Resources"].values():
        properties = resource["Properties"]
        found = properties.get("LifecycleConfiguration", {}).get("Rules", [])
        if found:
            buckets.add(properties["BucketName"])
        same(path, [from_cloudformation(rule) for rule in found], rules.get(properties["BucketName"], []))
    if buckets != set(rules):
        wrong(path, f"is about {sorted(buckets)}, and the JSON about {sorted(rules)}")


# --- IAM, by parliament ---

def check_iam(path):
    import parliament
    text = path.read_text()
    document = json.loads(text)
    check_format(path, text, document)
    for found in parliament.analyze_policy_string(text).findings:
        # True, and what --engine lifecycle asks for: who writes the configuration lets S3 remove.
        if path.name.endswith("-lifecycle.json") and found.issue == "RESOURCE_POLICY_PRIVILEGE_ESCALATION":
            continue
        wrong(path, f"parliament: {found}")
    sids = [statement["Sid"] for statement in document["Statement"]]
    if len(set(sids)) != len(sids) or not all(re.fullmatch(r"[A-Za-z0-9]+", sid) for sid in sids):
        wrong(path, f"statement ids {sids}")


def check_folder(folder, shape):
    def attempt(path, check, *also):
        try:
            return check(path, *also)
        except Exception as error:
            wrong(path, f"cannot be read: {type(error).__name__}: {error}")

    paths = sorted(path for path in folder.iterdir() if path.is_file())
    is_iam = {path: path.name.startswith("iam-") for path in paths}
    rules = {}
    for path in paths:
        if path.suffix == ".json" and path.name != "template.json" and not is_iam[path]:
            rules[path.stem] = [canonical(rule) for rule in attempt(path, check_json, shape) or []]
    for path in paths:
        if path.suffix == ".xml":
            attempt(path, check_xml, shape, rules[path.stem])
        elif path.suffix == ".tf":
            attempt(path, check_terraform, rules)
        elif path.name == "template.json":
            attempt(path, check_cloudformation, rules)
        elif is_iam[path]:
            attempt(path, check_iam)


def main():
    state, *folders = map(Path, (argument for argument in sys.argv[1:] if argument != "--installed"))
    if "--installed" not in sys.argv:
        in_the_environment(state)
    warnings.filterwarnings("ignore", category=UserWarning, message="pkg_resources is deprecated")
    shape = model()
    for folder in folders:
        check_folder(folder, shape)
    print("\n".join(problems), end="")
    sys.exit(3 if problems else 0)


if __name__ == "__main__":
    main()
