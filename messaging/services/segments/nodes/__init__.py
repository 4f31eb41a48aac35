"""The kinds of conditions that a segment's definition is made of."""

from messaging.services.segments.nodes.base import Names, Node, Terms
from messaging.services.segments.nodes.of_contacts import AddedNode, ContactsNode, FieldNode, FlagNode, LeadNode
from messaging.services.segments.nodes.of_history import (
    AppointmentNode,
    CallNode,
    CampaignNode,
    InvoiceNode,
    MessageNode,
)
from messaging.services.segments.nodes.of_labels import CustomFieldNode, ListNode, TagNode

# In the order in which the builder offers them.
NODES: dict[str, Node] = {
    node.name: node
    for node in (
        FieldNode(),
        AddedNode(),
        TagNode(),
        CustomFieldNode(),
        LeadNode(),
        FlagNode(),
        MessageNode(),
        CallNode(),
        AppointmentNode(),
        InvoiceNode(),
        CampaignNode(),
        ListNode(),
        ContactsNode(),
    )
}

__all__ = ["NODES", "Names", "Node", "Terms"]
